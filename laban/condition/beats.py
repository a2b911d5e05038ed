"""Onsets, tempo and beats of an onset-strength envelope at 60 frames per second.

The tracker is Ellis's dynamic programming (2007) with librosa's settings, which FACT uses. Such trackers take the
half or the double of the tempo that people tap; `estimate` compares them.
"""

from __future__ import annotations

import numpy as np

FPS = 60.0
TIGHTNESS = 100.0
PRIOR = 120.0  # bpm, the tracker's, when nobody gives a hint
MOST = 320.0  # bpm
LOW, HIGH = 58.0, 200.0  # bpm that people dance to; the octave check stays within
TAPPED, PRIOR_WEIGHT = 108.0, 8.0  # bpm where tapping is commonest, and how much that counts
HINT_WIDTH = 0.15  # octaves around a hint
HINT_REACH = 0.1  # octaves from a hint that the tempo may be


def onsets(envelope: np.ndarray) -> np.ndarray:
    """(T,) onset strength -> (K,) frames of its peaks.

    A peak is the largest of the frame before and itself, and 0.07 (of the range of the song) above the mean from 6
    frames before to 6 after. Source: Boeck et al. 2012 with librosa's settings.
    """
    if not len(envelope) or envelope.max() <= envelope.min():
        return np.zeros(0, np.int64)
    x = (envelope - envelope.min()) / (envelope.max() - envelope.min())
    total = np.concatenate([[0.0], np.cumsum(x, dtype=np.float64)])
    at = np.arange(len(x))
    low, high = np.maximum(0, at - 6), np.minimum(len(x), at + 7)
    mean = (total[high] - total[low]) / (high - low)
    before = np.concatenate([[0.0], x[:-1]])
    found: list[int] = []
    last = -10
    for frame in np.flatnonzero((x >= before) & (x >= mean + 0.07)).tolist():
        if frame - last > 1:
            found.append(frame)
            last = frame
    return np.array(found, np.int64)


def periodicity(envelope: np.ndarray, window: int = 480) -> np.ndarray:
    """(T,) -> (window,) mean over time of the normalised autocorrelation in Hann windows of 8 s, lag 0 to 8 s."""
    half = window // 2
    ramp = np.pad(envelope.astype(np.float64), half, mode="linear_ramp", end_values=0.0)
    frames = np.lib.stride_tricks.sliding_window_view(ramp, window)[: len(envelope)]
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    total = np.zeros(window)
    count = 0
    for at in range(0, len(frames), 2048):
        spectrum = np.fft.rfft(frames[at : at + 2048] * taper, 2 * window, axis=1)
        same = np.fft.irfft(np.abs(spectrum) ** 2, axis=1)[:, :window]
        total += (same / np.maximum(same.max(axis=1, keepdims=True), 1e-12)).sum(axis=0)
        count += len(same)
    return total / max(count, 1)


def tempo(envelope: np.ndarray, start: float = PRIOR, width: float = 1.0, reach: float = np.inf) -> float:
    """Beats per minute: the strongest period under a log-normal prior of `width` octaves around `start` bpm.

    Args:
        envelope: (T,) onset strength.
        start: bpm at which the prior is highest.
        width: its standard deviation in octaves.
        reach: octaves beyond which no period is taken, however strong.
    """
    strength = periodicity(envelope)
    lag = np.arange(1, len(strength))
    bpm = 60.0 * FPS / lag
    score = np.log1p(1e6 * np.maximum(0.0, strength[1:])) - 0.5 * (np.log2(bpm / start) / width) ** 2
    score[(bpm >= MOST) | (np.abs(np.log2(bpm / start)) > reach)] = -np.inf
    return float(bpm[int(np.argmax(score))])


def track(envelope: np.ndarray, bpm: float, *, trim: bool = True) -> np.ndarray:
    """(T,) onset strength -> (K,) ascending frames of beats near `bpm`. Empty for a silent song.

    Args:
        envelope: (T,) onset strength.
        bpm: the tempo to keep near.
        trim: leave out weak beats before the music starts and after it ends.
    Source: Ellis 2007. Deviation: librosa cuts one beat more at either end of some songs; all others are its own.
    """
    if len(envelope) < 2 or envelope.max() <= 0:
        return np.zeros(0, np.int64)
    period = round(60.0 * FPS / bpm)
    x = envelope.astype(np.float64) / max(float(envelope.std(ddof=1)), 1e-12)
    bump = np.exp(-0.5 * (np.arange(-period, period + 1) * 32.0 / period) ** 2)
    local = np.convolve(x, bump, mode="full")[period : period + len(x)]
    back = np.arange(-2 * period, -round(period / 2) + 1)
    cost = -TIGHTNESS * np.log(-back / period) ** 2
    reach = 2 * period
    total = np.zeros(reach + len(x))  # shifted by `reach`: what lies before the song scores 0
    link = np.full(len(x), -1, np.int64)
    first, threshold = True, 0.01 * local.max()
    for frame in range(len(x)):
        options = total[frame + reach + back] + cost
        best = int(np.argmax(options))
        total[frame + reach] = local[frame] + options[best]
        if not (first and local[frame] < threshold):
            first = False
            link[frame] = max(-1, frame + int(back[best]))
    score = total[reach:]
    peak = np.zeros(len(x), bool)
    peak[1:-1] = (score[1:-1] > score[:-2]) & (score[1:-1] >= score[2:])
    if not peak.any():
        return np.zeros(0, np.int64)
    good = np.flatnonzero(peak & (2.0 * score > np.median(score[peak])))
    frame = int(good.max()) if len(good) else int(np.flatnonzero(peak).max())
    found = [frame]
    while link[frame] >= 0:
        frame = int(link[frame])
        found.append(frame)
    beats = np.array(found[::-1], np.int64)
    if trim and len(beats) > 2:
        weight = np.convolve(local[beats], [0.0, 0.5, 1.0, 0.5, 0.0], mode="same")
        loud = np.flatnonzero(local > 0.5 * np.sqrt((weight**2).mean()))
        beats = beats[(beats >= loud[0]) & (beats <= loud[-1])] if len(loud) else beats
    return beats


def estimate(envelope: np.ndarray, low: np.ndarray) -> tuple[float, dict[float, float]]:
    """The tempo that people would tap, without a hint.

    Candidates are the best peaks of a comb over the periodicity of the envelope and of its lowest bands together:
    one and two periods, and three or four of them, a bar. Each is tracked and scored by that comb, by the onset
    strength that its beats gather, less what lies half-way between them (a tempo at half speed leaves strong onsets
    there; one at double speed has weak beats), and by a prior that peaks at 108 bpm.

    Args:
        envelope: (T,) onset strength.
        low: (T,) the same of the bands under 170 Hz, where drums and bass keep time.
    Returns: the tempo, and tempo -> score of all candidates.
    Source: ours. Deviation from FACT: it is told the tempo by file names.
    """
    whole = envelope / max(float(envelope.mean()), 1e-9)
    strength = periodicity(_smooth(whole + low / max(float(low.mean()), 1e-9)))
    strength = (strength - np.median(strength)) / max(float(strength[1:].max() - np.median(strength)), 1e-9)
    tempi = LOW * 1.01 ** np.arange(int(np.log(HIGH / LOW) / np.log(1.01)) + 1)

    def at(multiple: float) -> np.ndarray:
        return np.interp(multiple * 60.0 * FPS / tempi, np.arange(len(strength)), strength)

    comb = at(1) + 0.7 * at(2) + 1.5 * np.maximum(at(3) - at(2), at(4))
    prior = -PRIOR_WEIGHT * np.log2(tempi / TAPPED) ** 2
    ranked = comb + 0.2 * prior
    peaks: list[int] = []
    for place in np.argsort(-ranked):
        if len(peaks) < 4 and all(abs(np.log2(tempi[place] / tempi[p])) > 0.08 for p in peaks):
            peaks.append(int(place))
    x = _smooth(whole)
    scores: dict[float, float] = {}
    for peak in peaks:
        beats = track(envelope, float(tempi[peak]))
        if len(beats) >= 4:
            scores[float(tempi[peak])] = gathered(x, beats) + 4.0 * float(comb[peak]) + float(prior[peak])
    if not scores:
        return PRIOR, {}
    return max(scores, key=lambda b: scores[b]), scores


def _smooth(x: np.ndarray) -> np.ndarray:
    return np.convolve(x.astype(np.float64), np.array([1, 4, 6, 4, 1]) / 16, mode="same")


def gathered(x: np.ndarray, beats: np.ndarray) -> float:
    """Onset strength on the beats (mean, and the lower quarter), less that half-way between them; square roots."""
    middle = (beats[:-1] + beats[1:]) // 2
    weak = float(np.percentile(x[beats], 25)) ** 0.5
    return float(np.sqrt(x[beats]).mean()) - 0.6 * float(np.sqrt(x[middle]).mean()) + 0.5 * weak


def unevenness(beats: np.ndarray) -> float:
    """Standard deviation of the gaps between beats over their median; 0 for fewer than three beats."""
    gaps = np.diff(beats)
    return float(np.std(gaps) / np.median(gaps)) if len(gaps) > 1 else 0.0


def rate(beats: np.ndarray) -> float:
    """Beats per minute by the mean gap of the middle half of the gaps; finer than whole frames of period allow."""
    gaps = np.sort(np.diff(beats))
    quarter = len(gaps) // 4
    return float(60.0 * FPS / gaps[quarter : len(gaps) - quarter].mean())
