/** Why a store could not be read, and what its owner has to change. */

/** What went wrong, where, and how to mend it. */
export class StoreError extends Error {
  /** @param {string} message @param {{url?: string, fix?: string, status?: number, cause?: unknown}} [details] */
  constructor(message, { url, fix, status, cause } = {}) {
    super(message, { cause });
    this.name = "StoreError";
    this.url = url;
    this.fix = fix;
    this.status = status;
  }
}

const blocked = new Set();
document.addEventListener("securitypolicyviolation", (event) => blocked.add(event.blockedURI));

const originOf = (url) => new URL(url).origin;

/** @param {string} url @param {number} status */
export function whyStatus(url, status) {
  const host = new URL(url).host;
  if (status === 401 || status === 403) {
    const fix = `Allow anonymous reading of this store at ${host} (for a bucket: public read of its objects). A browser has no credentials for it.`;
    return new StoreError(`${host} refuses to serve this store without credentials (HTTP ${status}).`, { url, status, fix });
  }
  const fix = status >= 500 || status === 429 ? "This is the server's trouble: try again later." : "Check the store's address.";
  return new StoreError(`${host} answered HTTP ${status}.`, { url, status, fix });
}

/**
 * A browser says "failed to fetch" for a refused origin and for a missing network alike. A request whose answer can't
 * be read tells them apart.
 * @param {string} url
 */
export async function whyFetchFailed(url) {
  const origin = originOf(url);
  await new Promise((resolve) => setTimeout(resolve, 30));
  if ([...blocked].some((uri) => uri === url || uri === origin || uri.startsWith(`${origin}/`))) {
    return new StoreError(`This page's own Content-Security-Policy does not allow reading from ${origin}.`, {
      url, fix: `Build the site again, so that the page's connect-src lists ${origin}.`,
    });
  }
  if (location.protocol === "https:" && url.startsWith("http:")) {
    return new StoreError(`A page served over https may not read ${origin}, which is plain http.`, { url, fix: `Serve the store over https.` });
  }
  if (!navigator.onLine) return new StoreError("This device is offline.", { url, fix: "Connect, then try again." });
  const reached = await fetch(url, { mode: "no-cors", cache: "no-store" }).then(() => true, () => false);
  return reached ? refusedOrigin(url) : unreachable(url);
}

function refusedOrigin(url) {
  const fix =
    `Let ${originOf(url)} answer with the header “Access-Control-Allow-Origin: ${location.origin}” (or “*”) for GET and HEAD, ` +
    `with “Range” among its Access-Control-Allow-Headers. For a bucket this is its CORS configuration.`;
  return new StoreError(`${originOf(url)} answers, but does not allow pages of ${location.origin} to read it.`, { url, fix });
}

function unreachable(url) {
  return new StoreError(`${originOf(url)} could not be reached.`, { url, fix: "Check the network and the store's address, then try again." });
}

/**
 * Say any error of reading in words.
 * @param {any} error @returns {{message: string, fix: string}}
 */
export function explain(error) {
  if (error instanceof StoreError) return { message: error.message, fix: error.fix ?? "" };
  if (error?._tag === "UnknownCodecError") {
    return {
      message: `The chunks are compressed with “${error.codec}”, which no browser library reads.`,
      fix: "Open the dataset in Python instead, or publish it with gzip, zlib, zstd, lz4 or blosc.",
    };
  }
  if (error?._tag === "NotFoundError") {
    return { message: `The store has no ${error.path ?? "such object"}.`, fix: "It may have been moved or removed: look at the dataset's page for its present address." };
  }
  if (error?._tag === "CodecPipelineError") {
    return { message: `A chunk could not be decoded (${error.codec}: ${error.cause?.message ?? "no reason given"}).`, fix: "The object may be damaged: run “bakehouse verify” on this dataset." };
  }
  return { message: String(error?.message ?? error), fix: "Try again; if it stays, please report it." };
}
