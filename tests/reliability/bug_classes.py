"""The 23 classes of bugs that reinforcement-learning libraries have had, and the tests that catch them here.

`test_planted_bugs.py` sees to it that every named test exists; `benchmarks/planted_bugs.py` has bugs of the classes for them to find.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["BUG_CLASSES", "BugClass"]


class BugClass(NamedTuple):
    """A class of bugs.

    Attributes
    ----------
    title : str
    tests : tuple of str
        Node ids below tests/, without parameters.
    """

    title: str
    tests: tuple[str, ...]


BUG_CLASSES: dict[int, BugClass] = {
    1: BugClass(
        "a truncation taken for a termination",
        (
            "agents/test_every_agent_at_ends.py::test_tables_along_a_ring_with_a_time_limit_are_those_without_one",
            "agents/test_every_agent_at_ends.py::test_values_along_a_ring_with_a_time_limit_are_those_without_one",
            "agents/test_every_table.py::test_a_truncated_step_bootstraps_and_a_terminated_one_does_not",
            "agents/test_every_linear_agent.py::test_a_truncated_step_bootstraps_and_a_terminated_one_does_not",
            "reliability/test_autoreset_modes.py::test_values_are_the_known_ones_behind_a_limit_and_where_both_end_an_episode",
        ),
    ),
    2: BugClass(
        "a lambda trace that leaks across a truncation",
        (
            "agents/test_every_agent_at_ends.py::test_nothing_of_an_episode_reaches_the_one_before",
            "agents/deep/test_policy_gradients.py::test_nothing_flows_from_one_episode_to_the_one_before",
            "core/test_returns.py::test_nothing_flows_back_over_an_episodes_end",
        ),
    ),
    3: BugClass(
        "terminated and truncated in the same step",
        (
            "agents/test_every_agent_at_ends.py::test_terminated_and_truncated_at_once_is_terminated",
            "agents/test_every_agent_at_ends.py::test_a_world_that_terminates_at_its_time_limit_has_terminated",
            "core/test_returns.py::test_terminated_and_truncated_at_once_does_not_bootstrap",
        ),
    ),
    4: BugClass(
        "an advantage that reads the end of an episode one step late",
        (
            "agents/deep/test_policy_gradients.py::test_advantages_with_ends_in_the_middle_are_the_sums_within_each_episode",
            "core/test_returns.py::test_an_end_in_the_middle_does_not_pay_the_next_episodes_value",
        ),
    ),
    5: BugClass(
        "a bootstrap from the observation after the reset",
        (
            "envs/test_vector.py::test_every_transition_is_a_true_one_in_every_mode",
            "reliability/test_autoreset_modes.py::test_what_an_agent_learns_does_not_depend_on_the_mode_and_steps_are_counted_once",
            "reliability/test_autoreset_modes.py::test_no_memory_joins_the_end_of_an_episode_to_the_beginning_of_the_next",
            "reliability/test_autoreset_modes.py::test_copies_in_other_processes_teach_the_same_in_every_mode",
        ),
    ),
    6: BugClass(
        "the step that only resets, stored as a transition",
        (
            "reliability/test_autoreset_modes.py::test_budgets_that_divide_nothing_are_exact_and_no_step_is_taken_in_vain",
            "reliability/test_autoreset_modes.py::test_no_memory_joins_the_end_of_an_episode_to_the_beginning_of_the_next",
            "envs/test_vector.py::test_next_step_inserts_a_step_that_only_resets_as_gymnasium_does",
        ),
    ),
    7: BugClass(
        "wrappers written for one mode of resetting",
        (
            "reliability/test_autoreset_modes.py::test_episodes_are_told_right_by_whatever_counts_them",
            "reliability/test_autoreset_modes.py::test_a_reset_by_mask_leaves_what_wrappers_know_of_other_copies",
            "envs/test_vector.py::test_next_step_agrees_with_gymnasiums_own_vector_environment",
        ),
    ),
    8: BugClass(
        "the mode of resetting kept by a class",
        (
            "envs/test_vector.py::test_two_vectors_keep_their_own_modes",
            "reliability/test_autoreset_modes.py::test_each_vector_environment_keeps_its_mode_and_no_class_is_changed",
        ),
    ),
    9: BugClass(
        "n-step windows over the end of an episode or of the memory",
        (
            "agents/deep/test_replay_story.py::test_every_transition_is_what_a_brute_force_list_says",
            "agents/deep/test_replay.py::test_what_is_taken_is_what_happened",
            "agents/deep/test_drqn.py::test_three_step_returns_end_with_the_episode_and_with_the_window",
        ),
    ),
    10: BugClass(
        "a memory without successors that loses the true ones",
        (
            "agents/deep/test_replay.py::test_stacks_are_gymnasiums_though_each_frame_is_stored_once",
            "agents/deep/test_replay_story.py::test_every_transition_is_what_a_brute_force_list_says",
            "agents/deep/test_replay_story.py::test_a_mutant_that_bootstraps_from_the_reset_observation_is_noticed",
        ),
    ),
    11: BugClass(
        "a replay memory larger than the machine's",
        (
            "agents/deep/test_dqn.py::test_a_million_atari_frames_take_at_most_seven_and_a_half_gigabytes_and_too_many_are_refused",
            "agents/deep/test_too_large.py::test_a_program_says_of_its_replay_memories_what_they_take_and_refuses_too_much",
        ),
    ),
    12: BugClass(
        "a recurrent state that is not reset, or was stored before the reset",
        (
            "encoders/test_recurrent_encoders.py::test_an_episode_does_not_depend_on_the_one_before_it_to_the_last_bit",
            "agents/deep/test_sequences.py::test_nothing_leaks_over_the_start_of_an_episode_in_a_window_or_before_it",
            "agents/deep/test_attention_in_agents.py::test_the_states_that_drqn_stores_are_those_that_acted",
            "test_defects_of_the_notes.py::test_2_a_replayed_window_begins_with_the_memory_that_the_agent_had_and_learning_sees_it",
        ),
    ),
    13: BugClass(
        "padding that reaches a recurrent state or a gradient",
        (
            "encoders/test_recurrent_encoders.py::test_episodes_of_unequal_lengths_are_those_one_by_one",
            "encoders/test_recurrent_encoders.py::test_steps_that_do_not_count_have_no_gradient",
            "agents/deep/test_drqn.py::test_steps_that_are_not_counted_do_not_count",
        ),
    ),
    14: BugClass(
        "seeds that do not reach everything, or reach several alike",
        (
            "agents/test_every_agent_is_seeded.py::test_environments_of_two_seeds_begin_differently_and_of_one_alike",
            "agents/test_every_agent_is_seeded.py::test_children_of_a_seed_are_streams_of_their_own",
            "agents/test_every_agent_resumes.py::test_one_seed_gives_one_result_and_another_seed_another",
            "reliability/test_determinism_campaign.py::test_the_same_command_in_two_processes_writes_the_same_bytes",
            "reliability/test_determinism.py::test_an_agent_neither_reads_nor_moves_the_global_generators",
            "reliability/test_determinism.py::test_spaces_that_an_environment_samples_from_are_seeded_in_learning_and_in_evaluation",
        ),
    ),
    15: BugClass(
        "bounds and types of actions",
        (
            "agents/test_every_agent_acts_in_boxes.py::test_actions_are_of_the_box_and_its_type",
            "agents/test_every_agent_acts_in_boxes.py::test_what_is_cut_off_on_its_way_is_learned_from_as_it_was_drawn",
            "agents/test_every_agent_acts_in_boxes.py::test_a_box_without_an_end_is_refused_by_those_that_fill_it_and_clips_at_the_end_it_has",
            "agents/test_every_agent_acts_in_boxes.py::test_actions_may_begin_anywhere",
            "agents/deep/test_continuous_actions.py::test_the_log_probability_is_that_of_torchs_transformed_distribution",
        ),
    ),
    16: BugClass(
        "statistics that are not saved, or move where the agent is judged",
        (
            "agents/test_every_agent_keeps_statistics.py::test_statistics_are_in_the_file_and_neither_evaluation_nor_prediction_moves_them",
            "agents/test_every_agent_modes.py::test_the_running_statistics_move_once_for_each_rollout",
            "agents/test_every_agent_modes.py::test_a_target_network_takes_the_running_statistics_over_whenever_it_moves",
        ),
    ),
    17: BugClass(
        "a resumed run that is another run",
        (
            "agents/test_every_agent_resumes.py::test_learning_saving_loading_and_learning_on_is_learning_in_one_go",
            "agents/test_every_agent_resumes.py::test_deep_agents_also_resume_exactly_with_box_actions_schedules_and_normalisation",
            "core/test_env_state.py::test_gymnasiums_small_environments_go_on_exactly_also_behind_wrappers",
            "core/test_env_state.py::test_copies_go_on_exactly_in_every_mode_of_resetting",
            "cli/test_checkpoints.py::test_a_killed_run_goes_on_as_if_it_had_never_stopped",
        ),
    ),
    18: BugClass(
        "a number that is none and passes in silence",
        (
            "agents/deep/test_dqn.py::test_a_target_is_the_reward_where_nothing_follows_even_beside_nan",
            "agents/deep/test_together.py::test_nothing_in_a_terminal_observation_reaches_the_weights",
            "agents/deep/test_faulty_environments.py::test_a_reward_that_is_no_finite_number_is_named_and_not_the_learning_rate",
            "agents/test_every_agent_looks_at_its_numbers.py::test_what_is_no_number_is_named_with_its_step",
            "reliability/test_environments_campaign.py::test_a_few_of_each_case_are_as_promised",
            "reliability/test_environments_campaign.py::test_a_number_is_named_by_step_copy_and_entry",
        ),
    ),
    19: BugClass(
        "a subprocess that dies or hangs",
        (
            "cli/test_seeds.py::test_a_seed_that_fails_keeps_its_traceback_and_its_exit_code",
            "cli/test_workers.py::test_a_seed_that_takes_its_process_with_it_leaves_the_others_alone_and_can_be_resumed",
            "reliability/test_environments_campaign.py::test_a_copy_that_dies_or_hangs_in_its_process_ends_learning_and_leaves_none",
            "cli/test_workers.py::test_a_killed_parent_leaves_no_process_and_its_seeds_go_on_exactly_together",
        ),
    ),
    20: BugClass(
        "reported returns that were not earned",
        (
            "agents/test_every_agent_reports_returns.py::test_an_agent_reports_what_was_paid_through_every_order_of_wrappers",
            "agents/test_every_agent_reports_returns.py::test_copies_report_what_each_was_paid",
            "agents/test_every_agent_reports_returns.py::test_an_evaluation_returns_what_is_paid_and_leaves_the_wrappers_of_learning_alone",
        ),
    ),
    21: BugClass(
        "a checkpoint that destroys the one before",
        (
            "core/test_files.py::test_a_failing_write_keeps_the_old_file_and_leaves_no_rest",
            "core/test_files.py::test_every_truncation_is_found",
            "core/test_files.py::test_every_flipped_bit_is_found",
            "core/test_files.py::test_what_is_being_written_lies_beside_what_it_will_replace",
            "core/test_hostile_files.py::test_whatever_fails_while_writing_the_old_file_stays_and_no_rest_does",
            "core/test_hostile_files.py::test_a_disk_that_is_full_after_any_number_of_bytes_loses_nothing",
            "cli/test_checkpoints.py::test_a_full_disk_costs_no_row_and_no_checkpoint",
        ),
    ),
    22: BugClass(
        "compiled code on disk that is damaged or cannot be written",
        (
            "core/test_files.py::test_a_damaged_missing_or_unwritable_cache_only_costs_time",
            "core/test_compiled_code_on_disk.py::test_what_does_not_match_its_digest_is_not_even_unpickled",
            "core/test_compiled_code_on_disk.py::test_nothing_is_written_into_the_package_and_no_home_is_needed",
        ),
    ),
    23: BugClass(
        "learning tests that go soft",
        (
            "reliability/test_promises_of_presets.py::test_a_pass_rate_is_that_of_the_record_at_the_target_and_the_budget_of_today",
            "reliability/test_promises_of_presets.py::test_what_is_promised_was_reached_by_nine_of_ten_seeds_and_no_target_was_lowered",
            "reliability/test_planted_bugs.py::test_planted_bugs_are_killed",
        ),
    ),
}
