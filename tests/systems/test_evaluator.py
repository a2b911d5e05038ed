"""Our own evaluator: what its text side reads, what its loss counts as a negative, what it embeds; its training."""

from __future__ import annotations

import ast
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from laban.data.corpus import Corpus
from laban.data.synthesis import walkers
from laban.errors import InputError, ShapeError
from laban.metrics import embedding
from laban.systems.evaluator.system import SHIPPED, Evaluator, PairSampler
from laban.systems.evaluator.text import hashed, table
from laban.systems.registry import resolve
from laban.systems.requests import TextRequest
from laban.train import loop


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return walkers.write(tmp_path_factory.mktemp("corpus"), clips=48, seed=0)


@pytest.fixture(scope="module")
def run(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    torch.manual_seed(0)
    system = Evaluator.create("tiny", corpus, ("schedule.steps=60",))
    loop.run(system, corpus, folder, loop.Options(preview=False, validate_every=0))
    return folder


def test_it_is_found_by_name_and_makes_no_motion(corpus: Corpus) -> None:
    assert resolve("evaluator") is Evaluator
    with pytest.raises(InputError, match="makes none"):
        Evaluator.create("tiny", corpus).generate([TextRequest("a person walks")], 0)


def test_nothing_is_shared_with_a_generator() -> None:
    folder = Path(__file__).parents[2] / "laban" / "systems" / "evaluator"
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                assert not node.module.startswith(("laban.condition", "laban.systems.momask")), path.name


def test_words_are_hashed_with_their_groups_of_letters() -> None:
    left, right, lefts = (set(hashed(word, 32, 16, 2048)[0]) - {0} for word in ("left", "right", "lefts"))
    assert len(left & lefts) >= 3 and len(left & right) <= 1
    assert (hashed("Walks", 32, 16, 2048) == hashed("walks ,", 32, 16, 2048)).all()
    assert hashed("", 32, 16, 2048).shape == (1, 16) and hashed("a " * 50, 32, 16, 2048).shape == (32, 16)
    rows = table(["a person walks", "a"], 32, 16, 2048)
    assert rows.shape == (2, 3, 16) and not rows[1, 1:].any() and 0 < rows.max() < 2048


def test_a_clip_that_has_the_caption_too_is_no_negative(corpus: Corpus) -> None:
    system = Evaluator.create("tiny", corpus)
    batch = PairSampler(corpus, "train", system)(np.random.default_rng(0), 16)
    assert batch["alike"].diagonal().all() and batch["alike"].sum() > 16
    assert (np.diff(batch["lengths"].numpy()) >= 0).all()
    system.eval()
    with torch.no_grad():
        whole = system.network.loss(batch)["loss"]
        none = system.network.loss({**batch, "alike": torch.eye(16, dtype=torch.bool)})["loss"]
        texts = system.network.embed_texts(batch["rows"])
        motions = system.network.embed_motions(batch["motion"], batch["lengths"])
        logits = texts @ motions.T / 0.1
        kept = batch["alike"].logical_not() | torch.eye(16, dtype=torch.bool)
        rows = [float(logits[i][kept[i]].logsumexp(0) - logits[i, i]) for i in range(16)]
        columns = [float(logits[kept[:, j], j].logsumexp(0) - logits[j, j]) for j in range(16)]
    assert float(whole) == pytest.approx(0.5 * (np.mean(rows) + np.mean(columns)), rel=1e-4)
    assert float(whole) < float(none)


def test_training_brings_real_motion_near_its_caption(corpus: Corpus, run: Path) -> None:
    system = Evaluator.load(run)
    records = corpus.select("train")[:32]
    captions = [r.captions[0] for r in records]
    motions = system.embed_motions([np.array(corpus.features(r)) for r in records])
    texts = system.embed_texts(captions)
    assert np.allclose(np.linalg.norm(motions, axis=-1), 1, atol=1e-5)
    real = embedding.r_precision(texts, motions, captions)
    assert real[0] > embedding.chance(captions)[0] + 0.4
    order = np.random.default_rng(0).permutation(32)
    assert embedding.r_precision(texts, motions[order], captions)[0] < real[0] - 0.3


def test_an_embedding_does_not_depend_on_its_batch_nor_on_what_follows_the_clip(corpus: Corpus, run: Path) -> None:
    system = Evaluator.load(run)
    clips = [np.array(corpus.features(r)) for r in corpus.select("train")[:6]]
    together, alone = system.embed_motions(clips), np.concatenate([system.embed_motions([c]) for c in clips])
    assert np.allclose(together, alone, atol=1e-5)
    long = np.concatenate([clips[0], clips[1], clips[2]])
    assert np.array_equal(system.embed_motions([long]), system.embed_motions([long[: system.config.longest]]))
    texts = ["a person walks", "a person waves the right hand and bows"]
    assert np.allclose(system.embed_texts(texts)[:1], system.embed_texts(texts[:1]), atol=1e-5)


def test_bad_motions_are_refused(corpus: Corpus, run: Path) -> None:
    system = Evaluator.load(run)
    for shape in ((40, 262), (3, 263), (2, 40, 263)):
        with pytest.raises(ShapeError, match="263"):
            system.embed_motions([np.zeros(shape, np.float32)])
    with pytest.raises(InputError, match="NaN"):
        system.embed_motions([np.full((40, 263), np.nan, np.float32)])
    with pytest.raises(InputError, match="longest"):
        Evaluator.create("tiny", corpus, ("longest=8",))


def test_fp16_changes_no_ranking(corpus: Corpus, run: Path, tmp_path: Path) -> None:
    system = Evaluator.load(run)
    assert system.provenance.corpus == corpus.fingerprint
    system.save(tmp_path / "half", half=True)
    half = Evaluator.load(tmp_path / "half")
    assert half.provenance.corpus == corpus.fingerprint
    clips = [np.array(corpus.features(r)) for r in corpus.select("train")[:8]]
    assert np.abs(system.embed_motions(clips) - half.embed_motions(clips)).max() < 0.01


def test_a_stopped_training_goes_on_exactly(corpus: Corpus, tmp_path: Path) -> None:
    def train(folder: Path, stop_at: int | None) -> loop.Outcome:
        torch.manual_seed(3)
        system = Evaluator.create("tiny", corpus, ("schedule.steps=12", "motion.dropout=0.1"))
        if stop_at is not None:
            loss, seen = system.loss, []

            def counted(*arguments):
                seen.append(1)
                if len(seen) == stop_at:
                    os.kill(os.getpid(), signal.SIGTERM)
                return loss(*arguments)

            system.loss = counted
        return loop.run(system, corpus, folder, loop.Options(seed=3, preview=False, validate_every=0))

    train(tmp_path / "whole", None)
    assert train(tmp_path / "parts", 5).stopped == "encoders"
    assert train(tmp_path / "parts", None).finished == ["encoders"]
    whole, parts = (Evaluator.load(tmp_path / name).network.state_dict() for name in ("whole", "parts"))
    assert all(torch.equal(whole[key], parts[key]) for key in whole)


@pytest.mark.skipif(not SHIPPED[0].is_dir(), reason="the evaluators are not in this checkout")
def test_the_shipped_ones_are_two_seeds_in_ten_megabytes() -> None:
    first, second = (Evaluator.load(path) for path in SHIPPED)
    assert first.provenance.hash != second.provenance.hash and first.config == second.config
    assert first.provenance.corpus == second.provenance.corpus is not None
    size = sum(path.stat().st_size for folder in SHIPPED for path in folder.iterdir())
    assert size <= 10_000_000
    for folder in SHIPPED:
        card = (folder / "README.md").read_text()
        assert "CC BY-NC 4.0" in card and "mocap.cs.cmu.edu" in card
    texts = ["a person waves the left hand", "a person waves the right hand"]
    assert np.linalg.norm(np.diff(first.embed_texts(texts), axis=0)) > 0.3
