"""See a GLB, or a film, move in a browser: headless Chromium, three.js, one screenshot per moment.

    (cd tools/checks && npm install)
    python tools/checks/browser_check.py walk.glb --out shots/
    python tools/checks/browser_check.py digits.mp4 --out shots/        # .mp4 and .gif need no three.js

Serves the file and three.js on a local port, renders it at several times of its animation, and checks that a figure
is visible in each picture and that each picture differs from the one before it. Exit code 0 if so, 1 if not, 2 if
something is missing. Needs Debian's `chromium` (or --browser), Pillow and numpy.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).resolve().parent
BACKGROUND = (236, 237, 240)
FLAGS = (
    "--headless=new --no-sandbox --use-angle=swiftshader --enable-unsafe-swiftshader --hide-scrollbars "
    "--disable-extensions --disable-background-networking --no-first-run --force-device-scale-factor=1"
).split()

PAGE = """<!doctype html><meta charset="utf-8"><title>loading</title>
<style>html,body{margin:0;background:rgb(BACKGROUND)}canvas{display:block}</style>
<script type="importmap">{"imports":{"three":"/three/build/three.module.js","three/addons/":"/three/examples/jsm/"}}
</script>
<script type="module">
import * as THREE from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
const share = Number(new URLSearchParams(location.search).get("share"));
const renderer = new THREE.WebGLRenderer({ antialias: true, preserveDrawingBuffer: true });
renderer.setSize(innerWidth, innerHeight);
document.body.append(renderer.domElement);
const scene = new THREE.Scene();
scene.background = new THREE.Color("rgb(BACKGROUND)");
scene.add(new THREE.HemisphereLight(0xffffff, 0x8a8f99, 1.6));
const sun = new THREE.DirectionalLight(0xffffff, 2.2);
scene.add(sun, sun.target);
const camera = new THREE.PerspectiveCamera(32, innerWidth / innerHeight, 0.1, 100);
new GLTFLoader().load("/model.glb", (gltf) => {
  scene.add(gltf.scene);
  const clip = gltf.animations[0];
  const mixer = new THREE.AnimationMixer(gltf.scene);
  mixer.clipAction(clip).play();
  mixer.setTime(share * clip.duration);
  gltf.scene.updateMatrixWorld(true);
  let body;
  gltf.scene.traverse((o) => { if (o.isSkinnedMesh) { o.frustumCulled = false; body ??= o; } });
  const box = new THREE.Box3();
  for (const bone of body.skeleton.bones) box.expandByPoint(bone.getWorldPosition(new THREE.Vector3()));
  const middle = box.getCenter(new THREE.Vector3());
  const size = Math.max(box.getSize(new THREE.Vector3()).y, 1e-3) / 1.6;  // a person's joints are 1.6 m high
  camera.far = 1000 * size;
  camera.updateProjectionMatrix();
  camera.position.set(middle.x + 1.5 * size, middle.y + 0.4 * size, middle.z + 3.4 * size);
  camera.lookAt(middle);
  sun.position.set(middle.x - 1.5 * size, middle.y + 3 * size, middle.z + 3 * size);
  sun.target.position.copy(middle);
  renderer.render(scene, camera);
  document.title = "done";
}, undefined, (error) => { document.title = "failed: " + error; });
</script>
""".replace("BACKGROUND", ",".join(map(str, BACKGROUND)))

FILM = """<!doctype html><meta charset="utf-8"><title>loading</title>
<style>html,body{margin:0;background:rgb(BACKGROUND)}</style><canvas></canvas>
<img src="/hold" hidden>
<script type="module">
const share = Number(new URLSearchParams(location.search).get("share"));
const canvas = document.querySelector("canvas");
function draw(picture, width, height) {
  canvas.width = width; canvas.height = height;
  canvas.getContext("2d").drawImage(picture, 0, 0);
  requestAnimationFrame(() => requestAnimationFrame(() => fetch("/drawn")));
}
const file = await (await fetch("/film")).blob();
if (file.type === "image/gif") {
  const decoder = new ImageDecoder({ data: await file.arrayBuffer(), type: file.type });
  await decoder.tracks.ready;
  const count = decoder.tracks.selectedTrack.frameCount;
  const { image } = await decoder.decode({ frameIndex: Math.min(count - 1, Math.floor(share * count)) });
  draw(image, image.displayWidth, image.displayHeight);
} else {
  const film = document.createElement("video");
  film.muted = true;
  film.onloadeddata = () => { film.currentTime = share * film.duration; };
  film.onseeked = () => draw(film, film.videoWidth, film.videoHeight);
  film.onerror = () => fetch("/drawn");
  film.src = URL.createObjectURL(file);
}
</script>
""".replace("BACKGROUND", ",".join(map(str, BACKGROUND)))
FILMS = {".mp4": "video/mp4", ".gif": "image/gif"}


class Server(http.server.BaseHTTPRequestHandler):
    """Serves the page, the model and three.js; nothing else. A film's page is loaded once its picture is drawn."""

    drawn = threading.Event()

    def __init__(self, model: Path, three: Path, *args: object) -> None:
        self.model, self.three = model, three
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if path == "/":
            page = FILM if self.model.suffix.lower() in FILMS else PAGE
            self.answer(page.encode(), "text/html; charset=utf-8")
        elif path == "/hold":
            self.drawn.wait(60)
            self.answer(b"", "image/png")
        elif path == "/drawn":
            self.answer(b"", "text/plain")
            self.drawn.set()
        elif path == "/film":
            self.answer(self.model.read_bytes(), FILMS[self.model.suffix.lower()])
        elif path == "/model.glb":
            self.answer(self.model.read_bytes(), "model/gltf-binary")
        elif path.startswith("/three/") and ".." not in path and (self.three / path[7:]).is_file():
            self.answer((self.three / path[7:]).read_bytes(), "text/javascript")
        else:
            self.send_error(404)

    def answer(self, data: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("glb", type=Path, help="or an .mp4 or .gif")
    parser.add_argument("--out", type=Path, default=Path("."), help="folder for the screenshots")
    parser.add_argument("--at", type=float, nargs="+", default=[0.1, 0.5], help="moments, as shares of the clip")
    parser.add_argument("--size", type=int, nargs=2, default=[640, 640])
    parser.add_argument("--browser", default="chromium")
    options = parser.parse_args()
    three, browser = HERE / "node_modules" / "three", shutil.which(options.browser)
    for here, what in (
        (options.glb.is_file(), f"{options.glb}: no such file"),
        (three.is_dir() or options.glb.suffix.lower() in FILMS, "three.js is missing: `npm install` in tools/checks/"),
        (browser, f"{options.browser} is missing: apt-get install chromium, or name another --browser"),
    ):
        if not here:
            print(what, file=sys.stderr)
            return 2
    options.out.mkdir(parents=True, exist_ok=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Server, options.glb, three))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    pictures = []
    waiting = [] if options.glb.suffix.lower() in FILMS else ["--virtual-time-budget=20000"]  # films play in real time
    for number, share in enumerate(options.at):
        shot = (options.out / f"{options.glb.stem}-{number}.png").resolve()
        shot.unlink(missing_ok=True)
        Server.drawn.clear()
        with tempfile.TemporaryDirectory() as profile:
            command = [
                str(browser), *FLAGS, f"--user-data-dir={profile}", f"--screenshot={shot}",
                f"--window-size={options.size[0]},{options.size[1]}", *waiting,
                f"http://127.0.0.1:{server.server_port}/?share={share}",
            ]  # fmt: skip
            done = subprocess.run(command, capture_output=True, text=True, timeout=180)
        if not shot.is_file():
            print(f"the browser made no screenshot: {done.stderr.strip()[-300:]}", file=sys.stderr)
            return 2
        pictures.append(np.asarray(Image.open(shot).convert("RGB"), dtype=np.int16))
    server.shutdown()
    failed = False
    for number, picture in enumerate(pictures):
        figure = float((np.abs(picture - BACKGROUND).max(axis=-1) > 24).mean())
        changed = float((np.abs(picture - pictures[number - 1]).max(axis=-1) > 24).mean()) if number else float("nan")
        fine = 0.01 < figure < 0.7 and not (number and changed < 0.002)
        failed |= not fine
        since = f", {changed:.1%} changed since the last one" if number else ""
        print(
            f"{options.glb.name} at {options.at[number]:.0%}: figure covers {figure:.1%} of the picture{since}: "
            f"{'ok' if fine else 'FAILED'}"
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
