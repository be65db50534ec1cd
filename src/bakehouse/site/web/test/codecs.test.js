/** CASES names a file of what numcodecs wrote: [{codec, encoded, decoded}], bytes as base64. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const cases = process.env.CASES ? JSON.parse(readFileSync(process.env.CASES, "utf8")) : [];
const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));

test("what numcodecs compressed is decoded", { skip: cases.length ? false : "CASES is not set" }, async () => {
  for (const { codec, name, encoded, decoded } of cases) {
    const { default: Codec } = await import(`../src/codecs/${codec}.js`);
    const result = Codec.fromConfig({}).decode(bytes(encoded));
    assert.ok(Buffer.compare(result, bytes(decoded)) === 0, name);
  }
});
