"""Programs: S agents that learn as one batched program, entirely on one device; `together.learn_together` runs them.

A program holds what S agents of one class learn with: their parameters as one tensor [S, P], their copies of one world as S * N rows, every
random number drawn by counter-based streams of each agent's own. One round (a rollout and its update, or some steps and gradient steps on
replayed transitions) is a fixed sequence of operations on fixed memory, without a question to the host: on a GPU it is recorded once as a
CUDA graph and replayed. An agent's numbers, steps and batches are its own, whoever learns beside it; what differs is rounding (batched
products add in another order), which long learning of wide networks amplifies. So S = 1 is how one agent trains on a GPU, and S > 1 is many
seeds at once, or a sweep over settings.
"""
