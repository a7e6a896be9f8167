"""`rlcourse enjoy`: a window, a GIF or an MP4."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rlcourse.agents.linear import LinearAgent
from rlcourse.agents.tabular import TabularAgent
from rlcourse.cli.judging import playing_in
from rlcourse.cli.options import Parser, count, natural
from rlcourse.cli.outputs import file_to_write, writing
from rlcourse.cli.targets import find_agent
from rlcourse.cli.usage import UsageError
from rlcourse.core import spaces
from rlcourse.core.contract import Checked
from rlcourse.core.evaluation import masks
from rlcourse.core.exact import optimal_actions
from rlcourse.core.files import replacing
from rlcourse.core.world import WorldEnv

__all__ = ["enjoy"]


def enjoy(argv: Sequence[str]) -> int:
    """Show a saved agent; see ``rlcourse enjoy --help``."""
    parser = Parser(prog="rlcourse enjoy", description="Watch a saved agent, in a window or as a file (no display needed).")
    parser.add_argument("run", help="run folder (its best checkpoint), agent file, or latest")
    parser.add_argument("--gif", metavar="FILE", help="write an animated GIF")
    parser.add_argument("--mp4", metavar="FILE", help="write an MP4 (pip install 'rlcourse[video]')")
    parser.add_argument("--last", action="store_true", help="the last checkpoint instead of the best")
    parser.add_argument("--episodes", type=count, default=1, help="episodes [1]")
    parser.add_argument("--max-steps", type=count, default=500, help="steps in a file at most [500]")
    parser.add_argument("--width", type=count, default=400, help="width of a GIF, pixels [400]")
    parser.add_argument("--seed", type=natural, default=0, help="seed of the first episode [0]")
    parser.add_argument("--values", action="store_true", help="in a file: draw values of finite states, greedy actions, path too")
    parsed = parser.parse(argv)
    agent, target, _ = find_agent(parsed.run, "last" if parsed.last else "best")
    if target is None:
        raise UsageError(f"{parsed.run} is not in a run folder, so its environment is unknown; name the run folder")
    file = parsed.gif if parsed.gif is not None else parsed.mp4
    if parsed.gif is not None and parsed.mp4 is not None:
        raise UsageError("--gif and --mp4: name one file")
    if file is None and parsed.values:
        raise UsageError("--values draws into a file: add --gif out.gif")
    if file is None:
        return _window(agent, target, parsed)
    path = file_to_write("--gif", file, (".gif",)) if parsed.gif is not None else file_to_write("--mp4", file, (".mp4",))
    path = path.absolute()  # the environment that is played may change the working folder
    if not os.environ.get("DISPLAY"):
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    frames, fps = _frames(agent, target, parsed)
    with writing("--gif" if parsed.gif is not None else "--mp4", path):
        (_write_gif if parsed.gif is not None else _write_mp4)(path, frames, fps, parsed.width)
    print(f"{file}: {len(frames)} frames")
    return 0


def _window(agent: Any, target: Any, parsed: Any) -> int:
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise UsageError("there is no display for a window; write a file instead: --gif out.gif")
    with playing_in(Checked(target.make(render_mode="human"), numbers=True)) as env:
        for episode in range(parsed.episodes):
            total = 0.0
            for reward in _play(agent, env, parsed.seed + episode, 10**9):
                total += reward
            print(f"episode {episode + 1}: return {total:g}")
    return 0


def _frames(agent: Any, target: Any, parsed: Any) -> tuple[list[np.ndarray], float]:
    try:
        made = target.make(render_mode="rgb_array")
    except (TypeError, ValueError) as error:
        raise UsageError(f"{target.text} cannot be drawn: {error}") from error
    frames: list[np.ndarray] = []
    with playing_in(Checked(made, numbers=True)) as env:
        if parsed.values:
            _lay_values(agent, env, target)
        for episode in range(parsed.episodes):
            for _ in _play(agent, env, parsed.seed + episode, parsed.max_steps, frames):
                pass
        fps = float(env.metadata.get("render_fps", 30))
    if not frames:
        raise UsageError(f"{target.text} draws nothing in render_mode='rgb_array'")
    return frames[: parsed.max_steps], fps


def _lay_values(agent: Any, env: Any, target: Any) -> None:
    """Let an environment draw an agent's values and greedy actions under it, ties included."""
    inner = env.unwrapped
    linear = isinstance(agent, LinearAgent)
    if not (isinstance(agent, TabularAgent) or (linear and "w" in agent.tables and spaces.is_finite(agent.observation_space))):
        raise UsageError(f"--values: {type(agent).__name__} keeps no table of values")
    if not isinstance(inner, WorldEnv) or "values" not in inner.overlays():
        raise UsageError(f"--values: {target.text} draws itself without values; those of rlcourse with finitely many states can")
    mine, arrows = _of_linear(agent) if linear else _of_table(agent)
    arrows = arrows & ~arrows.all(axis=1, keepdims=True)  # where all are equal, nothing was learned
    overlay: dict[str, Any] = {"values": mine, "arrows": arrows, "path": []}
    inner.overlay = {name: value for name, value in overlay.items() if name in inner.overlays()}


def _of_table(agent: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return a tabular agent's values [S] and greedy actions [S, A]."""
    given = "policy" in agent.inputs
    Q = agent.action_values(np.arange(spaces.size(agent.observation_space)))
    arrows = agent.policy == agent.policy.max(axis=1, keepdims=True) if given else optimal_actions(Q)
    return agent.V if "V" in agent.tables else (agent.policy * Q).sum(axis=1) if given else Q.max(axis=1), arrows


def _of_linear(agent: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the values [S] and greedy actions [S, A] of an agent with linear values."""
    S, A = spaces.size(agent.observation_space), spaces.size(agent.action_space)
    if agent.values_of_states:
        return agent.values(), np.eye(A, dtype=bool)[[agent._act(s, True) for s in range(S)]]
    Q = agent.values()
    return Q.max(axis=1), optimal_actions(Q)


def _play(agent: Any, env: Any, seed: int, max_steps: int, frames: list[np.ndarray] | None = None) -> Any:
    """Play an episode; yield each reward, and keep the pictures."""
    observation, info = env.reset(seed=seed)
    state, start = None, True
    path = getattr(env.unwrapped, "overlay", {}).get("path")
    if path is not None:
        path[:] = [env.unwrapped.state]
    for _ in range(max_steps):
        if frames is not None:
            picture = env.render()
            if isinstance(picture, np.ndarray):
                frames.append(picture)
        action, state = agent.predict(observation, state=state, episode_start=start, **masks(agent, [info]))
        observation, reward, terminated, truncated, info = env.step(action)
        start = False
        if path is not None:
            path.append(env.unwrapped.state)
        yield float(reward)
        if terminated or truncated:
            if frames is not None:
                frames.append(env.render())
            return


def _write_gif(path: Path, frames: list[np.ndarray], fps: float, width: int) -> None:
    from PIL import Image

    every = max(1, round(fps / 25))  # viewers show at most about 25 to 50 pictures a second
    images = []
    for frame in frames[::every]:
        image = Image.fromarray(frame)
        size = (min(width, image.width), round(image.height * min(width, image.width) / image.width))
        images.append(image.resize(size, Image.Resampling.LANCZOS).quantize(128))
    timed: Any = {"append_images": images[1:], "duration": round(1000 * every / fps), "loop": 0}
    with replacing(path) as file:
        images[0].save(file, format="GIF", save_all=True, optimize=True, **timed)


def _write_mp4(path: Path, frames: list[np.ndarray], fps: float, width: int) -> None:
    try:
        import imageio_ffmpeg
    except ImportError as error:
        raise UsageError("--mp4 needs imageio-ffmpeg: pip install 'rlcourse[video]', or write a --gif") from error
    height, wide = (side - side % 2 for side in frames[0].shape[:2])
    writer = imageio_ffmpeg.write_frames(str(path), (wide, height), fps=fps, macro_block_size=2)
    writer.send(None)
    for frame in frames:
        writer.send(np.ascontiguousarray(frame[:height, :wide]))
    writer.close()
