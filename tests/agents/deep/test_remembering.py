"""A sign is remembered over ten steps; seeds 0 to 9 are measured by `python benchmarks/pass_rates.py tmaze:recurrent_ppo`."""

from rlcourse import presets
from rlcourse.agents import RecurrentPPO
from rlcourse.core.evaluation import evaluate


def test_recurrent_ppo_finds_the_arm_that_a_sign_ten_steps_before_has_told():
    preset = presets.load("tmaze")
    agent = RecurrentPPO(preset.env, seed=0, **preset.agents["recurrent_ppo"])

    def goes_on(agent):  # greedily: a policy that hesitates at the junction succeeds by chance alone
        return agent.num_timesteps % preset.eval_every or evaluate(agent, preset.env, 40, seed=0).mean() < preset.stop_at

    agent.learn(preset.total_timesteps, callback=goes_on)
    assert evaluate(agent, preset.env, 100, seed=1000).mean() >= preset.target
