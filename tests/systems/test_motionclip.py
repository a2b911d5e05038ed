"""MotionCLIP: the released network and its files, the representation, any length, the latent's uses, the library."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from laban import formats
from laban.check.motionclip import check_motionclip
from laban.data.clips import canonical
from laban.data.corpus import Corpus
from laban.data.synthesis import walkers
from laban.errors import CheckFailed, FormatError, InputError, WeightsError
from laban.motion import kinematics, rotation
from laban.motion.motion import Motion
from laban.motion.skeletons import HUMANML22
from laban.systems.motionclip import evaluation, representation, space
from laban.systems.motionclip.config import PAPER, MotionClipConfig
from laban.systems.motionclip.library import PLACE, Library
from laban.systems.motionclip.pictures import write_features
from laban.systems.motionclip.released import importer
from laban.systems.motionclip.released.network import ReleasedAutoencoder
from laban.systems.motionclip.system import MotionCLIP
from laban.systems.registry import load
from laban.systems.requests import TextRequest

GOLDEN = Path(__file__).parents[3] / "shared" / "golden" / "motionclip"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return walkers.write(tmp_path_factory.mktemp("corpus"), clips=16, seed=0)


@pytest.fixture(scope="module")
def system(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> MotionCLIP:
    """`tiny` with its components, and a reader that has seen a few batches."""
    torch.manual_seed(0)
    made = MotionCLIP.create("tiny", corpus)
    draw, rng = made.sampler("autoencoder", corpus, "train"), np.random.default_rng(0)
    network = made.module("autoencoder").train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    for _ in range(40):
        losses = made.loss("autoencoder", draw(rng, 8), torch.Generator().manual_seed(0))
        optimizer.zero_grad()
        losses["loss"].backward()
        optimizer.step()
    made.sampler("prior", corpus, "train")  # takes the latents' statistics
    made.eval()
    folder = tmp_path_factory.mktemp("weights")
    made.save(folder)
    found = load(folder)
    assert isinstance(found, MotionCLIP)
    return found


def clip(action: int = 0, frames: int = 80, fps: float = 20.0) -> Motion:
    return Motion.from_joints(canonical(walkers.joints(action, frames, 1.0, 0.3)), fps)


def test_paper_has_the_released_size() -> None:
    network = ReleasedAutoencoder(PAPER.network)
    count = sum(p.numel() for p in network.parameters() if p.requires_grad)
    assert round(count / 1e6, 1) == 42.2
    assert len(network.encoder.seqTransEncoder.layers) == len(network.decoder.seqTransDecoder.layers) == 8


def released(folder: Path, heads: int = 2) -> tuple[Path, dict[str, torch.Tensor]]:
    """A small random checkpoint in the released layout, with CLIP's tensors in it."""
    torch.manual_seed(1)
    config = replace(PAPER.network, latent=16, width=16, layers=2, heads=heads, feedforward=24)
    state = dict(ReleasedAutoencoder(config).state_dict())
    torch.save({**state, "clip_model.logit_scale": torch.ones(())}, folder / "checkpoint_0100.pth.tar")
    (folder / "opt.yaml").write_text(f"num_heads: {heads}\nnum_frames: 20\nglob_rot:\n- 3.1\nx: !!python/tuple [1]\n")
    return folder, state


def test_import_reads_tensors_and_options(tmp_path: Path) -> None:
    source = tmp_path / "released"
    source.mkdir()
    _, state = released(source)
    facts = importer.import_weights(source, tmp_path / "out")
    assert facts["parameters"] == sum(v.numel() for k, v in state.items() if not k.endswith(".pe"))
    system = load(tmp_path / "out")
    assert isinstance(system, MotionCLIP) and system.config.network.heads == 2 and system.config.released_place
    for key, value in system.module("autoencoder").state_dict().items():
        assert torch.equal(value, state[key])
    with pytest.raises(InputError, match="--text-encoder"):
        system.generate([TextRequest("walk", 1.0)], 0)
    latent = system.encode([clip()])
    made = system.motions(latent, [50])[0]
    assert made.frames == 50 and made.fps == 30 and abs(made.joints()[..., 1].min(-1)).max() < 1e-6
    assert np.allclose(made.rotations[:, 0], [1, 0, 0, 0]) and np.isfinite(made.joints()).all()


def test_bad_released_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="checkpoint_NNNN"):
        importer.load_released(tmp_path)
    released(tmp_path)
    good = (tmp_path / "opt.yaml").read_text()
    (tmp_path / "opt.yaml").write_text("num_heads: many\n")
    with pytest.raises(FormatError, match="num_heads"):
        importer.load_released(tmp_path)
    (tmp_path / "opt.yaml").write_text("num_heads: 3\n")
    with pytest.raises(WeightsError, match="3 heads"):
        importer.load_released(tmp_path)
    (tmp_path / "opt.yaml").write_text(good)
    path = tmp_path / "checkpoint_0100.pth.tar"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="not a file of plain tensors"):
        importer.load_released(tmp_path)
    torch.save({"epoch": 3}, path)
    with pytest.raises(WeightsError, match="state dict"):
        importer.load_released(tmp_path)


def expected(folder: Path) -> dict[str, np.ndarray]:
    """Arrays of the check, made by the network itself on lengths 5 and 9."""
    system = importer.load_released(folder)
    rng = np.random.default_rng(0)
    lengths = np.array([5, 9])
    mask = np.arange(9)[None] < lengths[:, None]
    motion = rng.standard_normal((2, 25, 6, 9)).astype(np.float32)
    valid = torch.from_numpy(mask)
    with torch.no_grad():
        flat = torch.from_numpy(motion).permute(0, 3, 1, 2).flatten(2)
        latent = system.autoencoder.encode(flat, valid)
        made = system.autoencoder.decode(latent, valid).unflatten(-1, (25, 6)).permute(0, 2, 3, 1)
    return {
        "motion": motion, "mask": mask, "lengths": lengths, "latent": latent.numpy(), "reconstruction": made.numpy(),
        "free_latent": latent.numpy(), "decoded_free": made.numpy(),
    }  # fmt: skip


def test_check_compares_what_is_there_and_fails_on_what_is_off(tmp_path: Path) -> None:
    released(tmp_path)
    arrays = expected(tmp_path)
    np.savez(tmp_path / "expected.npz", **arrays)
    report = check_motionclip(tmp_path)
    assert [r.name for r in report.rows] == ["lengths", "latent", "reconstruction", "decoded_free"]
    assert not report.absent
    np.savez(tmp_path / "expected.npz", **{k: arrays[k] for k in ("motion", "latent")})
    with pytest.raises(CheckFailed, match="latent"):  # without the mask the first clip has 9 frames
        check_motionclip(tmp_path)
    some = {k: arrays[k] for k in ("mask", "free_latent", "decoded_free")}
    np.savez(tmp_path / "expected.npz", **some)
    assert [r.name for r in check_motionclip(tmp_path).rows] == ["decoded_free"]
    for wrong in (
        {**some, "decoded_free": some["decoded_free"] + np.float32(2e-4)},
        {**some, "speed": some["mask"]},
        {"mask": some["mask"]},
    ):
        np.savez(tmp_path / "expected.npz", **wrong)
        with pytest.raises(CheckFailed):
            check_motionclip(tmp_path)
    np.savez(tmp_path / "expected.npz", **{**some, "free_latent": some["free_latent"][:, :7]})
    with pytest.raises(FormatError, match="free_latent"):
        check_motionclip(tmp_path)


@pytest.mark.skipif(not GOLDEN.is_dir(), reason="needs the project's own data, ../shared/golden/motionclip")
def test_golden_parity() -> None:
    report = check_motionclip(GOLDEN)
    assert report.ok and len(report.rows) == 4 and max(r.error for r in report.rows) < 1e-4


def test_representation_gives_the_joints_back() -> None:
    motion = clip(1, 50)
    joints = canonical(motion.joints())
    frames = representation.from_joints(joints, 22)
    assert frames.shape == (50, 23, 6)
    assert np.abs(representation.to_motion(frames, 20.0).joints() - joints).max() < 1e-4
    six, root = torch.from_numpy(frames[:, :-1]), torch.from_numpy(frames[:, -1, :3])
    ours = representation.ForwardKinematics(HUMANML22)(six, root).numpy()
    assert np.abs(ours - joints).max() < 1e-4
    first_rows = rotation.to_matrix(kinematics.fit(HUMANML22, joints)[0])[:, :, :2].reshape(50, 22, 6)
    assert np.abs(first_rows - frames[:, :-1]).max() < 1e-6


def test_a_window_starts_at_the_origin_and_faces_z_whatever_the_clip_does() -> None:
    motion = clip(0, 60)
    turn = rotation.yaw(np.array(1.1))
    turned = replace(
        motion,
        rotations=np.concatenate([rotation.multiply(turn, motion.rotations[:, :1]), motion.rotations[:, 1:]], 1),
        root=rotation.rotate(turn, motion.root) + np.array([3.0, 0.0, -2.0]),
    )
    a, b = (representation.rerooted(representation.pack(m.rotations, m.root, 22)) for m in (motion, turned))
    assert np.abs(a - b).max() < 1e-5 and np.abs(a[0, -1, [0, 2]]).max() == 0
    flat = torch.from_numpy(a)[None].flatten(2)
    apart = representation.travel_apart(flat)
    assert (representation.travel_together(apart) - flat).abs().max() < 1e-5
    speed = np.linalg.norm(np.diff(a[:, -1, [0, 2]], axis=0), axis=1)
    assert np.allclose(np.linalg.norm(apart[0, 1:, [-6, -4]].numpy(), axis=1), speed, atol=1e-6)


@pytest.mark.parametrize("frames", [1, 2, 5, 60, 61, 131, 196])
def test_any_length_is_encoded_and_decoded_and_does_not_freeze(system: MotionCLIP, frames: int) -> None:
    window = system.frames_of(clip(0, frames))
    latent = system.encode_windows([window])
    assert latent.shape == (1, system.config.network.latent) and torch.isfinite(latent).all()
    motion = system.motions(latent, [frames])[0]
    joints = motion.joints()
    assert motion.frames == frames and np.isfinite(joints).all()
    if frames > 60:  # the release, trained on 60 frames, stands still beyond them
        real = representation.to_motion(window, 20.0).joints()
        half = frames // 2
        late = [np.linalg.norm(np.diff(j[half:], axis=0), axis=-1).mean() for j in (joints, real)]
        assert 0.5 < late[0] / late[1] < 2.0


def test_padding_does_not_leak(system: MotionCLIP) -> None:
    short, long_ = system.frames_of(clip(0, 37)), system.frames_of(clip(1, 90))
    together = system.encode_windows([short, long_])
    alone = torch.cat([system.encode_windows([short]), system.encode_windows([long_])])
    assert (together - alone).abs().max() < 1e-4


def test_components_keep_a_clip_before_training(corpus: Corpus) -> None:
    torch.manual_seed(0)
    fresh = MotionCLIP.create("tiny", corpus).eval()
    found = evaluation.reconstruction(fresh, corpus, evaluation.held_out(corpus, "train"), 2.0)
    assert found["windows"] > 4 and found["mpjpe"] < 60


def losses_of(made: MotionCLIP, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return made.eval().loss("autoencoder", batch, torch.Generator().manual_seed(0))


def test_pictures_enter_the_loss(corpus: Corpus, tmp_path: Path) -> None:
    torch.manual_seed(0)
    records = [r for r in corpus.select("train") if r.captions]
    write_features(tmp_path / "x.npz", {r.id: torch.randn(3, 384) for r in records[: len(records) // 2]})
    made = MotionCLIP.create("tiny", corpus, [f"image_features={tmp_path / 'x.npz'}", "loss.image=0.5"])
    batch = made.sampler("autoencoder", corpus, "train")(np.random.default_rng(0), 32)
    seen = batch["seen"].bool()
    assert 0 < int(seen.sum()) < 32 and (batch["image"][seen].norm(dim=-1) - 1).abs().max() < 1e-3
    assert batch["image"][~seen].abs().max() == 0
    losses = {k: v.detach() for k, v in losses_of(made, batch).items()}
    plain = {k: v.detach() for k, v in losses_of(made, {k: v for k, v in batch.items() if k != "image"}).items()}
    assert 0 < float(losses["image"]) < 2 and "image" not in plain
    assert float(losses["loss"]) == pytest.approx(float(plain["loss"]) + 0.5 * float(losses["image"]), rel=1e-4)


def test_spans_cover_a_clip() -> None:
    assert space.spans(1, 20.0, 196) == [(0, 1)] and space.spans(90, 20.0, 196) == [(0, 90)]
    middle = space.spans(150, 20.0, 196)
    assert middle[0] == (0, 150) and middle[-1] == (90, 150) and all(b - a == 60 for a, b in middle[1:])
    long_ = space.spans(12_000, 20.0, 196)
    assert all(0 <= a < b <= 12_000 and b - a <= 196 for a, b in long_)
    assert {i for a, b in long_ for i in range(a, b)} == set(range(12_000))


def test_recognition_and_captions(system: MotionCLIP) -> None:
    guesses = space.recognise(system, clip(0), ["a person walks", "a person sits", "raise-up-both-hands"])
    assert len(guesses) == 3 and abs(sum(g.probability for g in guesses) - 1) < 1e-5
    assert guesses[0].cosine >= guesses[1].cosine >= guesses[2].cosine
    phrases = space.caption(system, clip(0), top=3)
    assert [g.label for g in phrases] == [g.phrase for g in phrases]
    assert {g.label for g in phrases} <= set(system.vocabulary["phrases"])
    assert len(space.recognise(system, clip(0, 400), ["walk", "sit"])) == 2  # longer than one latent holds
    for bad in ([""], ["walk", "walk"]):
        with pytest.raises(InputError):
            space.recognise(system, clip(0), bad)


def test_blend_ends_are_the_reconstructions_and_lengths_go_evenly(system: MotionCLIP) -> None:
    a, b = clip(0, 60), clip(1, 100)
    made = space.blend(system, a, b, 5)
    assert [m.frames for m in made] == [60, 70, 80, 90, 100]
    assert np.abs(made[0].joints() - space.reconstruct(system, a).joints()).max() < 1e-4
    assert np.abs(made[-1].joints() - space.reconstruct(system, b).joints()).max() < 1e-4
    with pytest.raises(InputError, match="2 to 64"):
        space.blend(system, a, b, 1)
    with pytest.raises(InputError, match="one latent holds"):
        space.blend(system, a, clip(1, 300), 3)


def test_mix_is_arithmetic(system: MotionCLIP) -> None:
    a, b, c = clip(0, 60), clip(1, 60), clip(2, 60)
    moved = space.mix(system, a, b, c, 0.0)
    assert np.abs(moved.joints() - space.reconstruct(system, a).joints()).max() < 1e-4
    onto = space.mix(system, a, a, b)  # z - z(a) + z(b)
    assert np.abs(onto.joints() - space.reconstruct(system, b).joints()).max() < 1e-4
    assert space.mix(system, a, "a person walks", "a person bows").passport is not None
    for minus, plus, strength in (("walk", "walk", 1.0), (b, b, 1.0), ("", "walk", 1.0), ("a", "b", float("nan"))):
        with pytest.raises(InputError):
            space.mix(system, a, minus, plus, strength)
    with pytest.raises(InputError, match="style is empty"):
        space.restyle(system, a, " ")


def test_fitted_changes_pace_a_little_then_cuts() -> None:
    long_ = clip(0, 120)
    for seconds in (1.0, 3.0, 5.0, 6.5, 7.9):
        assert abs(space.fitted(long_, seconds, 1.0, 3.0).seconds - seconds) < 0.11
    assert space.fitted(clip(0, 40), 9.0).seconds == pytest.approx(2 / 0.75, abs=0.1)  # no slower than three quarters


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "library"
    (place / "more").mkdir(parents=True)
    formats.write(clip(0, 60), place / "a.npz")
    formats.write(clip(1, 70), place / "more" / "b.bvh")
    formats.write(clip(2, 260), place / "long.npz")
    (place / "broken.bvh").write_text("junk\n")
    (place / "half.npz").write_bytes((place / "a.npz").read_bytes()[:200])
    (place / "notes.txt").write_text("not a motion")
    return place


def test_library_is_incremental(system: MotionCLIP, folder: Path) -> None:
    library = Library.open(folder, system)
    report = library.update(system)
    assert (report.added, report.kept, report.removed) == (3, 0, 0)
    assert set(report.skipped) == {"broken.bvh", "half.npz"}
    assert (folder / PLACE).is_file()
    again = Library.open(folder, system)
    report = again.update(system)
    assert (report.added, report.kept) == (0, 5)
    assert np.abs(again.vectors - library.vectors).max() < 1e-3  # kept as fp16
    vector = system.directions(system.encode([clip(0, 60)]))[0].numpy()
    found = again.search(vector, 10)
    assert [m.path.name for m in found][0] == "a.npz" and len(found) == 3 and found[0].score > 0.999
    assert len(again.owner) > 3  # the long clip has moments
    formats.write(clip(2, 50), folder / "a.npz")
    os.utime(folder / "a.npz", ns=(1, 1))
    (folder / "more" / "b.bvh").unlink()
    report = again.update(system)
    assert (report.added, report.removed) == (1, 1)
    names = [m.path.name for m in again.search(vector, 10)]
    assert set(names) == {"a.npz", "long.npz"}
    assert {(m.path.name, m.start) for m in Library.open(folder, system).search(vector)} == {
        (m.path.name, m.start) for m in again.search(vector)
    }


def test_library_refuses_what_it_cannot_trust(system: MotionCLIP, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        Library.open(tmp_path / "nowhere", system)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="no BVH"):
        Library.open(empty, system).update(system)
    (empty / "x.bvh").write_text("junk")
    with pytest.raises(InputError, match="none of its 1 files"):
        Library.open(empty, system).update(system)
    library = Library.open(folder, system)
    library.update(system)
    for vector in (np.zeros(library.vectors.shape[1]), np.full(library.vectors.shape[1], np.nan)):
        with pytest.raises(InputError, match="no direction"):
            library.search(vector)
    found = library.search(-library.vectors[0])  # opposite to a clip: it comes last
    assert found[-1].path.name == library.names[library.owner[0]]
    path = folder / PLACE
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FormatError, match="--rebuild"):
        Library.open(folder, system)
    path.write_bytes(whole)
    other = load_other(system)
    with pytest.raises(WeightsError, match="other weights"):
        Library.open(folder, other)
    assert Library.open(folder, other, rebuild=True).names == []


def load_other(system: MotionCLIP) -> MotionCLIP:
    made = MotionCLIP(system.config, system.stats, system.text_encoder)
    made.provenance = replace(system.provenance, hash="0" * 64)
    return made


def test_a_file_that_changes_while_it_is_read_is_left_out(
    system: MotionCLIP, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = formats.read

    def touched(path: Path) -> Motion:
        motion = read(path)
        if Path(path).name == "a.npz":
            os.utime(path, ns=(5, 5))
        return motion

    monkeypatch.setattr(formats, "read", touched)
    report = Library.open(folder, system).update(system)
    assert report.added == 2 and "changed while" in report.skipped["a.npz"]
    monkeypatch.undo()
    report = Library.open(folder, system).update(system)
    assert report.added == 1 and "a.npz" not in report.skipped


def test_configurations_that_cannot_work_are_refused() -> None:
    for wrong in ({"joints": 23}, {"patch": 2}, {"kind": "compact"}, {"heads": 5}, {"language": 600}):
        with pytest.raises(InputError):
            replace(PAPER.network, **wrong)  # type: ignore[arg-type]
    for wrong in ({"text": replace(PAPER.text, width=384)}, {"windows": ()}, {"windows": (700,)}):
        with pytest.raises(InputError):
            replace(PAPER, **wrong)  # type: ignore[arg-type]
    assert MotionClipConfig() == PAPER
