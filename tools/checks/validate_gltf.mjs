// Validate GLB files with the Khronos glTF validator.
//   cd tools/checks && npm install && node validate_gltf.mjs FILE.glb...
// Prints the counts and every message; exits 1 if a file has an error or a warning, 2 if one cannot be read.
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import validator from "gltf-validator";

const paths = process.argv.slice(2);
if (paths.length === 0) {
  console.error("usage: node validate_gltf.mjs FILE.glb...");
  process.exit(2);
}
let worst = 0;
for (const path of paths) {
  let bytes;
  try {
    bytes = await readFile(path);
  } catch (error) {
    console.error(`${path}: cannot be read (${error.code ?? error.message}).`);
    process.exit(2);
  }
  try {
    const report = await validator.validateBytes(new Uint8Array(bytes), { uri: basename(path), maxIssues: 0 });
    const { numErrors, numWarnings, numInfos, numHints, messages } = report.issues;
    const { totalVertexCount, totalTriangleCount, animationCount } = report.info ?? {};
    console.log(
      `${path}: ${numErrors} errors, ${numWarnings} warnings, ${numInfos} infos, ${numHints} hints ` +
        `(${totalVertexCount} vertices, ${totalTriangleCount} triangles, ${animationCount} animation)`,
    );
    for (const m of messages.slice(0, 20)) console.log(`  ${m.code} ${m.pointer ?? ""} ${m.message}`);
    if (numErrors + numWarnings > 0) worst = 1;
  } catch (error) {
    console.log(`${path}: not a glTF file (${error.message ?? error}).`);
    worst = 1;
  }
}
process.exit(worst);
