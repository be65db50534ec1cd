/** The slider under the map: steps, plays, and says the moment. */

const PAUSE_MS = 450;

export class TimeBar {
  /** @param {(index: number, settled: boolean) => Promise<void>} onMove */
  constructor(onMove) {
    const find = (id) => document.getElementById(id);
    [this.bar, this.range, this.output, this.play] = ["time", "time-range", "time-label", "time-play"].map(find);
    this.onMove = onMove;
    this.playing = false;
    this.range.addEventListener("input", () => this.#to(this.range.valueAsNumber, false));
    this.range.addEventListener("change", () => this.#to(this.range.valueAsNumber, true));
    find("time-back").addEventListener("click", () => this.step(-1));
    find("time-next").addEventListener("click", () => this.step(1));
    this.play.addEventListener("click", () => (this.playing ? this.stop() : this.#start()));
  }

  /** @param {import("./dataset.js").Axis | null} axis @param {number} index */
  show(axis, index) {
    this.bar.hidden = !axis || axis.size < 2;
    this.axis = axis;
    if (!axis) return;
    this.range.max = String(axis.size - 1);
    this.range.value = String(index);
    this.#say(index);
  }

  #say(index) {
    this.output.textContent = this.axis.label(index);
    this.range.setAttribute("aria-valuetext", this.axis.label(index));
  }

  #to(index, settled) {
    this.stop();
    this.#say(index);
    return this.onMove(index, settled);
  }

  /** @param {number} by */
  step(by) {
    if (!this.axis) return;
    const index = (this.range.valueAsNumber + by + this.axis.size) % this.axis.size;
    this.range.value = String(index);
    return this.#to(index, true);
  }

  stop() {
    this.playing = false;
    this.play.setAttribute("aria-pressed", "false");
    this.play.setAttribute("aria-label", "Play");
    this.play.textContent = "▶";
  }

  async #start() {
    this.playing = true;
    this.play.setAttribute("aria-pressed", "true");
    this.play.setAttribute("aria-label", "Pause");
    this.play.textContent = "❚❚";
    while (this.playing) {
      const index = (this.range.valueAsNumber + 1) % this.axis.size;
      this.range.value = String(index);
      this.#say(index);
      await Promise.all([this.onMove(index, true), new Promise((resolve) => setTimeout(resolve, PAUSE_MS))]);
    }
  }
}
