// Scores the samples of an exported graph in JavaScript and compares: node onnx_check.mjs MODULES GRAPH SAMPLES
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [modules, graph, samplesFile] = process.argv.slice(2);
const ort = createRequire(resolve(modules) + "/")("onnxruntime-node");
const told = JSON.parse(readFileSync(samplesFile, "utf8"));
const count = told.samples.length;

/** Returns the tensors of one column: its values, and where they are null. */
function tensorsOf(input) {
  const values = told.samples.map((each) => each.inputs[input.name]);
  const shape = [count, 1];
  if (input.tensor === "float64") {
    const data = Float64Array.from(values, (each) => each ?? NaN);
    return { [input.name]: new ort.Tensor("float64", data, shape) };
  }
  const makers = {
    int64: () => new ort.Tensor("int64", BigInt64Array.from(values, (each) => BigInt(each ?? 0)), shape),
    bool: () => new ort.Tensor("bool", Uint8Array.from(values, (each) => (each ? 1 : 0)), shape),
    string: () => new ort.Tensor("string", values.map((each) => each ?? ""), shape),
  };
  const nulls = Uint8Array.from(values, (each) => (each === null ? 1 : 0));
  return { [input.name]: makers[input.tensor](), [input.null]: new ort.Tensor("bool", nulls, shape) };
}

const session = await ort.InferenceSession.create(graph, { executionProviders: ["cpu"], logSeverityLevel: 3 });
const feeds = Object.assign({}, ...told.inputs.map(tensorsOf));
const found = await session.run(feeds);
const answer = Object.fromEntries(told.outputs.map((each) => [each.role, found[each.name]]));

let scores = 0;
let features = 0;
const wrong = [];
told.samples.forEach((sample, row) => {
  const score = answer.score.data[row];
  scores = Math.max(scores, Math.abs(score - sample.score));
  if (!(Math.abs(score - sample.score) <= 1e-6)) wrong.push(`row ${row}: score ${score}, not ${sample.score}`);
  if (sample.decision !== null && Boolean(answer.decision.data[row]) !== sample.decision) {
    wrong.push(`row ${row}: another decision`);
  }
  Object.entries(sample.features).forEach(([name, want], place, all) => {
    const found = answer.features.data[row * all.length + place];
    const missing = Number.isNaN(found);
    if (missing !== (want === null)) wrong.push(`row ${row}: ${name} is ${found}, not ${want}`);
    if (missing || want === null) return;
    features = Math.max(features, Math.abs(found - want) / Math.max(1, Math.abs(want)));
  });
});
console.log(JSON.stringify({ rows: count, largestScoreDifference: scores, largestFeatureDifference: features, wrong: wrong.length }));
wrong.forEach((each) => console.error(each));
process.exit(wrong.length || features > 1e-12 ? 1 : 0);
