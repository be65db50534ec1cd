/** Bundle the pages' scripts, styles, coastlines and fonts into ../bundle, with the licences of all of it. */
import { build } from "esbuild";
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { feature } from "topojson-client";

const here = fileURLToPath(new URL(".", import.meta.url));
const out = join(here, "..", "bundle");
const modules = join(here, "node_modules");

/** What zarrita loads by need. The originals make functions from text, which the pages' policy forbids. */
const CODECS = Object.fromEntries(["blosc", "lz4", "zstd"].map((name) => [`numcodecs/${name}`, `./src/codecs/${name}.js`]));

/** Shipped as they are, so esbuild does not see them. */
const COPIED = ["world-atlas", "@fontsource-variable/inter", "@fontsource/jetbrains-mono"];
const FONTS = [
  { family: "Inter Variable", weight: "100 900", file: "inter.woff2", from: "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2" },
  { family: "JetBrains Mono", weight: "400", file: "jetbrains-mono.woff2", from: "@fontsource/jetbrains-mono/files/jetbrains-mono-latin-400-normal.woff2" },
];

async function scripts() {
  const result = await build({
    absWorkingDir: here,
    entryPoints: ["src/home.js", "src/page.js", "src/explore.js", "src/explore.css", "src/widgets.css"],
    outdir: out,
    bundle: true,
    alias: CODECS,
    splitting: true,
    format: "esm",
    target: ["chrome120", "firefox120", "safari17"],
    minify: true,
    chunkNames: "chunks/[name]-[hash]",
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  });
  return Object.keys(result.metafile.inputs);
}

/** zarrita as npm has it, for Node: the build of a site runs the pages' JavaScript with it. */
async function forNode() {
  const folder = join(out, "node/node_modules/zarrita");
  const result = await build({
    absWorkingDir: here,
    stdin: { contents: 'export * from "zarrita";', resolveDir: here },
    outfile: join(folder, "index.js"),
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    minify: true,
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  });
  const { version } = JSON.parse(await readFile(join(modules, "zarrita/package.json"), "utf8"));
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "zarrita", version, type: "module", exports: "./index.js" }));
  return Object.keys(result.metafile.inputs);
}

/** Coasts as bare lines of [longitude, latitude], without the seams that close polygons at ±180° and at the pole. */
async function coastlines(name, to, digits) {
  const topology = JSON.parse(await readFile(join(modules, "world-atlas", name), "utf8"));
  const { features } = feature(topology, topology.objects.land);
  const rings = features.flatMap(({ geometry }) =>
    geometry.type === "Polygon" ? geometry.coordinates : geometry.coordinates.flat(),
  );
  const lines = rings.flatMap((ring) => withoutSeams(ring.map(([x, y]) => [Number(x.toFixed(digits)), Number(y.toFixed(digits))])));
  await writeFile(join(out, to), JSON.stringify(lines));
}

function withoutSeams(ring) {
  const seam = ([x0, y0], [x1, y1]) => (Math.abs(x0) >= 179.99 && Math.abs(x1) >= 179.99) || (y0 <= -89.9 && y1 <= -89.9);
  // Some coasts end at 180° and go on at −180°.
  const jump = ([x0], [x1]) => Math.abs(x1 - x0) > 180;
  const lines = [[ring[0]]];
  for (let i = 1; i < ring.length; i++) {
    if (seam(ring[i - 1], ring[i]) || jump(ring[i - 1], ring[i])) lines.push([]);
    lines.at(-1).push(ring[i]);
  }
  return lines.filter((line) => line.length > 1);
}

async function fonts() {
  await mkdir(join(out, "fonts"), { recursive: true });
  for (const { from, file } of FONTS) await copyFile(join(modules, from), join(out, "fonts", file));
  const face = ({ family, weight, file }) =>
    `@font-face{font-family:"${family}";font-style:normal;font-weight:${weight};font-display:swap;src:url(fonts/${file}) format("woff2")}\n`;
  await writeFile(join(out, "fonts.css"), FONTS.map(face).join(""));
}

const packageOf = (path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];

async function licences(inputs) {
  const names = [...new Set([...inputs.map(packageOf).filter(Boolean), ...COPIED])].sort();
  const texts = await Promise.all(names.map(licenceOf));
  const maps = "Colour tables: viridis, plasma and twilight are of matplotlib, under CC0-1.0.\nYlGnBu and RdBu: Copyright (c) 2002 Cynthia Brewer, Mark Harrower, and The Pennsylvania State University,\nunder the Apache License, Version 2.0. Coastlines: Natural Earth, public domain.";
  await writeFile(join(out, "LICENSES.txt"), [...texts, maps].join(`\n\n${"-".repeat(80)}\n\n`) + "\n");
}

async function licenceOf(name) {
  const folder = join(modules, name);
  const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const file = (await readdir(folder)).find((each) => /^licen[cs]e/i.test(each));
  const text = file ? (await readFile(join(folder, file), "utf8")).trim() : `(the package has no licence text; it says ${license})`;
  return `${name} ${version}: ${license}\n\n${text}`;
}

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
const inputs = [...(await scripts()), ...(await forNode())];
await Promise.all([coastlines("land-110m.json", "coastlines.json", 2), coastlines("land-50m.json", "coastlines-50m.json", 2), fonts(), licences(inputs)]);
