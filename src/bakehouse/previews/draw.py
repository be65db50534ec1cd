"""Images: a map, a thumbnail, a series; matplotlib is imported when the first is drawn, and need not be there."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bakehouse.previews.colours import Colours
from bakehouse.previews.outline import seen
from bakehouse.previews.places import NOWHERE, Extent, Spot
from bakehouse.previews.words import Words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Lines = tuple[np.ndarray, ...]

THUMBNAIL = (480, 270)
WIDTH, SERIES_HEIGHT = 960, 340
LEFT, RIGHT, TOP, BELOW = 52, 22, 46, 104
"""Margins of a map in pixels."""
TALLEST, FLATTEST = 720, 150
STRIP = 4
"""How many times longer than a card a map may be to be shown whole on one."""
MARGIN = 76
CARD_COLOURS = 96
INK, FAINT, PAPER, MISSING, COAST = "#24292f", "#6e7781", "#ffffff", "#e4e7eb", "#2b3036"


def picture(values: np.ndarray, spot: Spot, extent: Extent, size: tuple[int, int]) -> np.ndarray:
    """Give for each pixel of a map the value of the cell that it lies in, the topmost row first; NaN outside."""
    where = spot(*extent.pixels(*size))
    shown = np.append(values.astype("float64").ravel(), np.nan)
    return np.asarray(shown[np.where(where == NOWHERE, -1, where)])


def map_size(extent: Extent) -> tuple[int, int]:
    """Give width and height in pixels of what a map shows, without its margins."""
    width = WIDTH - LEFT - RIGHT
    return width, int(np.clip(round(width / extent.aspect), FLATTEST, TALLEST))


def draw_map(values: np.ndarray, spot: Spot, extent: Extent, colours: Colours, coasts: Lines, words: Words) -> bytes:
    """Draw a map with its frame, a title and a bar of its colours."""
    width, height = map_size(extent)
    extent = extent.of_aspect(width / height)
    figure = _figure(WIDTH, height + TOP + BELOW)
    axes = _box(figure, LEFT, BELOW, width, height)
    _paint(axes, picture(values, spot, extent, (width, height)), extent, colours, coasts)
    _graticule(axes, extent)
    _titles(figure, words.title, words.when)
    _bar(figure, colours, values, words.units)
    return _png(figure)


def draw_thumbnail(values: np.ndarray, spot: Spot, extent: Extent, colours: Colours, coasts: Lines) -> bytes:
    """Draw a map to the edges of a card."""
    extent = card_extent(np.clip(values, colours.low, colours.high), spot, extent, coasts)
    figure = _figure(*THUMBNAIL)
    axes = _box(figure, 0, 0, *THUMBNAIL)
    _paint(axes, picture(values, spot, extent, THUMBNAIL), extent, colours, coasts, 0.7)
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)
    return _few_colours(_png(figure))


def card_extent(values: np.ndarray, spot: Spot, extent: Extent, coasts: Lines) -> Extent:
    """Choose what a card shows: the globe is stretched a little, other maps lose a little, of long strips a part.

    That part has many values that differ much, and a coast to know it by; around it stands what lies beside it.
    """
    card = THUMBNAIL[0] / THUMBNAIL[1]
    if not card / STRIP < extent.aspect < card * STRIP:
        extent = _busiest(values, spot, extent, coasts)
    if not card / 1.5 < extent.aspect < card * 1.5:
        return extent.of_aspect(card)
    return extent if extent.is_global else extent.inside(card)


def _busiest(values: np.ndarray, spot: Spot, extent: Extent, coasts: Lines) -> Extent:
    """Cut a strip to the part that tells most: a quarter of a card across, as long as the card is."""
    card = THUMBNAIL[0] / THUMBNAIL[1]
    part = STRIP * min(card / extent.aspect, extent.aspect / card)
    across, up = extent.east - extent.west, extent.north - extent.south
    if extent.aspect > card:
        moved = (replace(extent, west=extent.west + n / 60 * across) for n in range(int(60 * (1 - part)) + 1))
        parts = [replace(each, east=each.west + part * across) for each in moved]
    else:
        moved = (replace(extent, south=extent.south + n / 60 * up) for n in range(int(60 * (1 - part)) + 1))
        parts = [replace(each, north=each.south + part * up) for each in moved]
    return max(parts, key=lambda each: _telling(picture(values, spot, each, (90, 90)), each.of_aspect(card), coasts))


def _telling(shown: np.ndarray, extent: Extent, coasts: Lines) -> float:
    """Weigh a part of a map: how many values it has, how much they differ, and whether there is a coast."""
    finite = shown[np.isfinite(shown)]
    if not finite.size:
        return -1.0
    lines = np.concatenate([np.zeros((0, 2)), *seen(coasts, extent.west, extent.east)])
    west, east, south, north = extent.west, extent.east, extent.south, extent.north
    inside = (lines[:, 0] > west) & (lines[:, 0] < east) & (lines[:, 1] > south) & (lines[:, 1] < north)
    return float(finite.std() * finite.size / shown.size) * (0.25 + min(int(inside.sum()), 200) / 200)


def _paint(axes: Axes, shown: np.ndarray, extent: Extent, colours: Colours, coasts: Lines, width: float = 0.8) -> None:
    from matplotlib.collections import LineCollection

    box = (extent.west, extent.east, extent.south, extent.north)
    scale: dict[str, Any] = {"cmap": colours.cmap, "vmin": colours.low, "vmax": colours.high}
    axes.set_facecolor(MISSING)
    axes.imshow(np.ma.masked_invalid(shown), extent=box, interpolation="nearest", aspect="auto", **scale)
    lines = seen(coasts, extent.west, extent.east)
    axes.add_collection(LineCollection(lines, colors=COAST, linewidths=width, alpha=0.8, capstyle="round"))
    axes.set(xlim=box[:2], ylim=box[2:])


def _graticule(axes: Axes, extent: Extent) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    steps = [1, 1.5, 2, 3, 4.5, 5, 6, 9, 10]
    axes.xaxis.set_major_locator(MaxNLocator(8, steps=steps))
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=steps))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda lon, _: _degrees((lon + 180) % 360 - 180, "E", "W")))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda lat, _: _degrees(lat, "N", "S")))
    axes.tick_params(length=3, width=0.8, color=FAINT, labelcolor=FAINT, labelsize=9.5, pad=4)
    axes.grid(color="#000000", alpha=0.10, linewidth=0.6)
    for spine in axes.spines.values():
        spine.set(color=FAINT, linewidth=0.8)


def _degrees(value: float, positive: str, negative: str) -> str:
    letter = "" if value in (0, 180, -180) else positive if value > 0 else negative
    return f"{abs(value):.4g}°{letter}"


def _titles(figure: Figure, title: str, when: str, left: int = LEFT) -> None:
    top = 1 - 27 / figure.bbox.height
    room = WIDTH - left - RIGHT - 8 * len(when)
    figure.text(left / WIDTH, top, _short(title, room // 11), color=INK, size=13.5, weight="bold", parse_math=False)
    figure.text(1 - RIGHT / WIDTH, top, when, color=FAINT, size=11, ha="right", parse_math=False)


def _short(text: str, most: int) -> str:
    line = "".join(char for char in " ".join(text.split()) if char.isprintable())
    return line if len(line) <= most else f"{line[: max(most - 1, 1)]}…"


def _bar(figure: Figure, colours: Colours, values: np.ndarray, units: str) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    axes = _box(figure, WIDTH // 4, 48, WIDTH // 2, 13)
    finite = values[np.isfinite(values)]
    below, above = bool((finite < colours.low).any()), bool((finite > colours.high).any())
    extend: Any = {(True, True): "both", (True, False): "min", (False, True): "max"}.get((below, above), "neither")
    mapped = ScalarMappable(Normalize(colours.low, colours.high), colours.cmap)
    bar = figure.colorbar(mapped, cax=axes, orientation="horizontal", extend=extend, extendfrac=0.03)
    bar.outline.set(color=FAINT, linewidth=0.6)
    bar.ax.tick_params(length=3, width=0.6, color=FAINT, labelcolor=INK, labelsize=9.5)
    figure.text(0.5, 11 / figure.bbox.height, _short(units, 60), color=FAINT, size=10.5, ha="center", parse_math=False)


def draw_lines(along: np.ndarray, lines: list[tuple[str, np.ndarray]], words: Words, card: bool = False) -> bytes:
    """Draw values along time or another dimension; few values have points, gaps stay open."""
    legend = len(lines) > 1 and not card
    figure, axes = _sheet(card, 186 if legend else RIGHT)
    for number, (label, values) in enumerate(lines):
        marker = "o" if np.isfinite(values).sum() <= 60 else None
        axes.plot(along, values, color=_line_colour(number), linewidth=1.6, marker=marker, markersize=3.5, label=label)
    _plain_axes(axes, along, words, card)
    axes.set_ylabel("" if card else _short(words.units, 34), color=FAINT, size=10.5, parse_math=False)
    axes.ticklabel_format(axis="y", useOffset=False)
    if legend:
        drawn = axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=9.5)
        for text in drawn.get_texts():
            text.set(parse_math=False, color=INK)
    return _finished(figure, words, card)


def _line_colour(number: int) -> str:
    """Give colours that colour-blind eyes tell apart (Okabe and Ito)."""
    return ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8c6d00")[number % 8]


def draw_section(
    along: np.ndarray, across: np.ndarray, values: np.ndarray, colours: Colours, words: Words, card: bool = False
) -> bytes:
    """Draw values over two dimensions that are not those of a map."""
    figure, axes = _sheet(card, 116, 80)
    axes.set_facecolor(MISSING)
    scale: dict[str, Any] = {"cmap": colours.cmap, "vmin": colours.low, "vmax": colours.high}
    mesh = axes.pcolormesh(along, across, np.ma.masked_invalid(values.T), shading="nearest", rasterized=True, **scale)
    _plain_axes(axes, along, words, card)
    axes.grid(False)
    if words.downward:
        axes.invert_yaxis()
    if not card:
        axes.set_ylabel(_short(words.across, 34), color=FAINT, size=10.5, parse_math=False)
        bar = figure.colorbar(mesh, cax=_box(figure, WIDTH - 102, 56, 13, SERIES_HEIGHT - 22), extend="both")
        bar.ax.tick_params(length=3, color=FAINT, labelcolor=INK, labelsize=9.5)
        bar.set_label(_short(words.units, 34), color=FAINT, size=10.5, parse_math=False)
    return _finished(figure, words, card)


def _sheet(card: bool, right: int, taller: int = 0) -> tuple[Figure, Axes]:
    if card:
        figure = _figure(*THUMBNAIL)
        return figure, _box(figure, 46, 34, THUMBNAIL[0] - 64, THUMBNAIL[1] - 52)
    figure = _figure(WIDTH, SERIES_HEIGHT + taller)
    return figure, _box(figure, MARGIN, 56, WIDTH - MARGIN - right, SERIES_HEIGHT + taller - 56 - 46)


def _finished(figure: Figure, words: Words, card: bool) -> bytes:
    if card:
        return _few_colours(_png(figure))
    _titles(figure, words.title, words.when, MARGIN)
    return _png(figure)


def _plain_axes(axes: Axes, along: np.ndarray, words: Words, card: bool) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    if along.dtype.kind == "M":
        locator = AutoDateLocator(minticks=3, maxticks=5 if card else 9)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        axes.xaxis.get_offset_text().set(color=FAINT, size=9.5, visible=not card)
    elif not card:
        axes.set_xlabel(_short(words.along, 80), color=FAINT, size=10.5, parse_math=False)
    axes.margins(x=0.01)
    axes.grid(color="#000000", alpha=0.09, linewidth=0.7)
    axes.tick_params(length=3, width=0.8, color=FAINT, labelcolor=INK, labelsize=9.5)
    for side, spine in axes.spines.items():
        spine.set(color=FAINT, linewidth=0.8, visible=side in ("left", "bottom"))


def _figure(width: int, height: int) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / 100, height / 100), dpi=100, facecolor=PAPER)
    FigureCanvasAgg(figure)
    return figure


def _box(figure: Figure, left: int, below: int, width: int, height: int) -> Axes:
    """Place axes by whole pixels, so that a pixel of a picture is a pixel of the image."""
    whole_width, whole_height = (round(edge * figure.dpi) for edge in figure.get_size_inches())
    return figure.add_axes((left / whole_width, below / whole_height, width / whole_width, height / whole_height))


def _png(figure: Figure) -> bytes:
    """Write an image that is the same whichever release draws it just so: without the program's name."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100, metadata={"Software": None})
    return buffer.getvalue()


def _few_colours(png: bytes) -> bytes:
    """Make a card's image a quarter as large: a page has many of them, and each is small."""
    from PIL import Image

    buffer = io.BytesIO()
    image = Image.open(io.BytesIO(png)).convert("RGB").quantize(CARD_COLOURS, dither=Image.Dither.NONE)
    image.save(buffer, format="png", optimize=True)
    return buffer.getvalue()
