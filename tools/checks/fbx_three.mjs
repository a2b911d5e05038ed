// Where three.js puts the bones and skinned vertices of an FBX file. Called by fbx.py:
//     node fbx_three.mjs MODULES FILE TIMES.json OUT.json
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { join } from "node:path";

const [modules, file, times, out] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(join(modules, "three", name)));
globalThis.window = globalThis;
globalThis.document = {
  createElementNS: () => ({ addEventListener() {}, removeEventListener() {}, set src(_) {}, style: {} }),
};
globalThis.URL.createObjectURL = () => "blob:none";
const THREE = await load("build/three.module.js");
const { FBXLoader } = await load("examples/jsm/loaders/FBXLoader.js");
const data = readFileSync(file);
const group = new FBXLoader().parse(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength), "");
const mixer = new THREE.AnimationMixer(group);
if (group.animations.length) {
  const action = mixer.clipAction(group.animations[0]);
  action.setLoop(THREE.LoopOnce, 1).clampWhenFinished = true;
  action.play();
}
const bones = [];
const meshes = [];
group.traverse((o) => {
  if (o.isBone) bones.push(o);
  if (o.isSkinnedMesh) meshes.push(o);
});
const result = { bones: bones.map((b) => b.name), joints: [], vertices: [] };
const v = new THREE.Vector3();
for (const t of JSON.parse(readFileSync(times, "utf8"))) {
  mixer.setTime(t);
  group.updateMatrixWorld(true);
  result.joints.push(bones.map((b) => b.getWorldPosition(v).toArray().map((x) => x / 100)));
  const points = [];
  for (const mesh of meshes) {
    mesh.skeleton.update();
    for (let k = 0; k < mesh.geometry.attributes.position.count; k++) {
      mesh.getVertexPosition(k, v).applyMatrix4(mesh.matrixWorld);
      points.push([v.x / 100, v.y / 100, v.z / 100]);
    }
  }
  result.vertices.push(points);
}
writeFileSync(out, JSON.stringify(result));
