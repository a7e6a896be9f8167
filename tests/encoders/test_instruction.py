"""Encoders of observations with an instruction: attention by the agent's state, FiLM, and the one behind a memory."""

import numpy as np
import pytest
import torch
from gymnasium import spaces

from rlcourse import encoders
from rlcourse.core.packing import packed
from rlcourse.encoders.instruction import FiLM, Instruction, InstructionFinal

IMAGE = spaces.Box(0, np.broadcast_to(np.array([10, 5, 3], np.uint8), (7, 7, 3)), dtype=np.uint8)
NAMES = ["instruction", "instruction-dot", "instruction-concat", "instruction-final", "film", "film-instruction"]


def instructed(length=6, tokens=9):
    return spaces.Dict({"direction": spaces.Discrete(4), "image": IMAGE, "mission": spaces.MultiDiscrete([tokens] * length)})


SPACE = instructed()


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def batch(count=5, words=(4, 2, 6, 4, 1), space=SPACE):
    """Return observations whose instructions have so many words."""
    rng, found = np.random.default_rng(0), []
    length = len(space["mission"].nvec)
    for i in range(count):
        mission = np.where(np.arange(length) < words[i % len(words)], rng.integers(1, 9, length), 0)
        found.append({"direction": rng.integers(4), "image": rng.integers(0, [11, 6, 4], (7, 7, 3)).astype(np.uint8), "mission": mission})
    return found


def vectors(observations, space=SPACE):
    return torch.as_tensor(np.stack([packed(space).pack(each) for each in observations]))


def with_missions(observations, missions):
    return [each | {"mission": np.asarray(mission)} for each, mission in zip(observations, missions, strict=True)]


@pytest.mark.parametrize("name", NAMES)
def test_the_instruction_decides_about_the_features_and_each_observation_has_its_own(name):
    encoder = encoders.make(f"{name}:8", packed(SPACE)).eval()
    observations = batch()
    features = encoder(vectors(observations))
    assert features.shape == (5, encoder.features_dim) == (5, 8)
    one_by_one = torch.cat([encoder(vectors([each])) for each in observations])
    torch.testing.assert_close(features, one_by_one)
    others = encoder(vectors(with_missions(observations, [[1, 2, 3, 0, 0, 0]] * 5)))
    assert (features != others).any(dim=1).all()
    again = encoder(vectors([observations[i] for i in (0, 0, 3, 0)]))  # read once, found again
    torch.testing.assert_close(again, features[[0, 0, 3, 0]])


@pytest.mark.parametrize("name", NAMES)
def test_padding_is_not_read(name):
    short, long = instructed(3), instructed(7)
    first, second = encoders.make(f"{name}:8", packed(short)).eval(), encoders.make(f"{name}:8", packed(long)).eval()
    second.load_state_dict(first.state_dict())
    observations = batch(words=(3, 2, 1, 3, 0), space=short)
    longer = with_missions(observations, [[*each["mission"], 0, 0, 0, 0] for each in observations])
    torch.testing.assert_close(first(vectors(observations, short)), second(vectors(longer, long)))
    if name not in ("film", "instruction-final"):
        torch.testing.assert_close(second.weights.sum(1), torch.ones(5))
        assert (second.weights[:, 3:] == 0).all()
        assert (second.weights[1, :2] > 0).all()


def test_attention_is_that_of_the_lstm_s_outputs_by_the_features_of_the_other_parts():
    encoder = Instruction(packed(SPACE), 8, bidirectional=False)
    observation = batch(1)[0]
    direction, image = encoder.encoders
    tokens = torch.as_tensor(observation["mission"])[:4]
    s, _ = encoder.reader.cells[0][0](encoder.reader.embedding(tokens).unsqueeze(1))
    seen = torch.cat([direction(torch.tensor([observation["direction"]])), image(torch.as_tensor(observation["image"]).unsqueeze(0))], 1)
    h = torch.relu(encoder.linear[0](seen))[0]
    a = torch.softmax(torch.stack([h @ encoder.attention.weight.weight @ each for each in s[:, 0]]), 0)
    context = (a.unsqueeze(1) * s[:, 0]).sum(0)
    expected = torch.tanh(encoder.attention.combine.weight @ torch.cat([context, h]))
    torch.testing.assert_close(encoder(vectors([observation]))[0], expected)
    torch.testing.assert_close(encoder.weights[0, :4], a)
    final = InstructionFinal(packed(SPACE), 8, bidirectional=False)
    final.load_state_dict(
        {
            name.replace("attention.combine", "combine"): part
            for name, part in encoder.state_dict().items()
            if "attention.weight" not in name
        }
    )
    expected = torch.tanh(final.combine.weight @ torch.cat([s[-1, 0], h]))
    torch.testing.assert_close(final(vectors([observation]))[0], expected)


@pytest.mark.parametrize("image", ["minatar", "minatar:9+bn", "minigrid"])
def test_film_scales_and_shifts_each_channel_before_the_activation(image):
    encoder = FiLM(packed(SPACE), 8, {"image": image}).eval()
    observations = batch()
    convolutional, modulation = encoder.encoders[1], encoder.modulations["1"]
    final = encoder.reader(torch.as_tensor(np.stack([each["mission"] for each in observations])))
    gamma, beta = modulation.linear(final).chunk(2, 1)
    x, at = convolutional.images(torch.as_tensor(np.stack([each["image"] for each in observations]))), 0
    for layer, following in zip(convolutional.convolutions, [*convolutional.convolutions[1:], None], strict=True):
        x = layer(x)
        if isinstance(following, torch.nn.ReLU):
            n = x.shape[1]
            x = (1 + gamma[:, at : at + n, None, None]) * x + beta[:, at : at + n, None, None]
            at += n
    assert at == gamma.shape[1]
    directions = torch.eye(4)[[each["direction"] for each in observations]]
    expected = torch.relu(encoder.linear[0](torch.cat([directions, convolutional.linear(x)], 1)))
    torch.testing.assert_close(encoder(vectors(observations)), expected)
    torch.nn.init.zeros_(modulation.linear.weight)
    torch.nn.init.zeros_(modulation.linear.bias)
    plain = encoders.make(f"direction=flatten,image={image}", spaces.Dict({key: SPACE[key] for key in ("direction", "image")})).eval()
    plain.encoders.load_state_dict(encoder.encoders.state_dict())
    pictures = vectors(observations)[:, :-6]
    torch.testing.assert_close(encoder(vectors(observations)), torch.relu(encoder.linear[0](plain(pictures))))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["lstm", "gru", "attention:4"])
def test_behind_a_memory_a_sequence_is_its_steps_and_the_memory_is_the_query(name, kind):
    memory = encoders.make_memory(kind, packed(SPACE), 8, f"{name}:8").eval()
    T, B = 7, 3
    observations = vectors(batch(T * B)).view(T, B, -1)
    starts = torch.zeros(T, B, dtype=torch.bool)
    starts[3, 1] = starts[5, 0] = True
    features, after = memory(observations, memory.initial(B), starts)
    state = memory.initial(B)
    for t in range(T):
        stepped, state = memory.step(observations[t], state, starts[t])
        torch.testing.assert_close(features[t], stepped)
    for mine, theirs in zip(after, state, strict=True):
        torch.testing.assert_close(mine, theirs)
    features.square().sum().backward()
    assert all(part.grad is not None for part in memory.parameters())
    other = observations.clone()
    other[:, :, -6:] = torch.tensor([3.0, 1, 4, 0, 0, 0])
    seen, reached = memory(other, memory.initial(B), starts)
    assert (seen != features).any()
    if name.startswith("instruction"):  # FiLM's memory sees what the instruction shows it
        torch.testing.assert_close(reached, after)


def test_a_memory_of_another_width_is_a_query_too_but_not_of_dot():
    memory = encoders.make_memory("lstm", packed(SPACE), 12, "instruction:8")
    assert memory(vectors(batch()).unsqueeze(0), memory.initial(5))[0].shape == (1, 5, 12)
    with pytest.raises(ValueError, match=r"width 8 meet a memory of width 12; take 'instruction-dot:12'"):
        encoders.make_memory("lstm", packed(SPACE), 12, "instruction-dot:8")


def test_packed_vectors_are_tensors_by_key_and_one_hot_ones():
    observations = batch()
    parts = {key: torch.as_tensor(np.stack([each[key] for each in observations])) for key in SPACE}
    one_hot = {
        "direction": torch.eye(4)[parts["direction"]],
        "image": parts["image"].float(),
        "mission": torch.eye(9)[parts["mission"]].flatten(1),
    }
    for name in NAMES:
        encoder = encoders.make(f"{name}:8", SPACE).eval()
        torch.testing.assert_close(encoder(vectors(observations)), encoder(parts))
        torch.testing.assert_close(encoder(one_hot), encoder(parts))


def test_parts_are_named_as_those_of_merge_are():
    encoder = encoders.make("image=torch-ac+ln,mission=film-instruction:16", packed(SPACE))
    assert [type(each).__name__ for each in (*encoder.encoders, encoder.reader)] == ["Flatten", "TorchAC", "TextBiLSTM"]
    assert encoder.features_dim == 16
    assert type(encoders.make("film", SPACE).encoders[1]).__name__ == "MiniGrid"
    words = spaces.Dict({"a": spaces.Text(5, charset="ab"), "b": spaces.Tuple((spaces.Text(3, charset="ab"), spaces.Box(-1, 1, (2,))))})
    encoder = encoders.make("a=embedding:3,b.0=instruction:4", packed(words))
    assert encoder(torch.as_tensor(packed(words).pack({"a": "ab", "b": ("ba", np.zeros(2))})[None])).shape == (1, 4)


@pytest.mark.parametrize(
    ("name", "space", "sentence"),
    [
        ("instruction", spaces.Dict({"a": spaces.Text(3), "b": spaces.Text(3)}), "which part is the instruction"),
        ("instruction", spaces.Dict({"a": spaces.Text(3)}), "beside other parts"),
        ("instruction", spaces.MultiDiscrete([3, 3]), "beside other parts"),
        ("film", spaces.Dict({"a": spaces.Text(3), "b": spaces.Discrete(3)}), "has none: take 'instruction'"),
        ("missoin=film", SPACE, "did you mean 'mission'"),
        ("imag=flatten,mission=film", SPACE, "did you mean 'image'"),
        ("mission=film:8,image=instruction", SPACE, "one part is the instruction"),
        ("mission=film+bn", SPACE, "one part is the instruction"),
        ("direction=instruction", SPACE, "needs Text, or tokens"),
        ("film:7", SPACE, "multiple of 2"),
    ],
)
def test_what_cannot_be_has_a_sentence(name, space, sentence):
    with pytest.raises(ValueError, match=sentence):
        encoders.make(name, space)
