from recipe.record.files import move_folder, write_json, write_text
from recipe.record.report import Report
from recipe.record.run_directory import RunDirectory


def finish(run, stage, identity, text):
    work = run.open_work(stage, identity)
    write_text(work / "recipe.yaml", text)
    report = Report(stage=stage, verdict="pass", started="", seconds=0, seed=0, config={}, environment={}, checks=())
    write_json(work / "report.json", report)
    return run.promote(stage)


def test_an_interrupted_stage_goes_on_only_with_the_same_identity(tmp_path):
    run = RunDirectory(tmp_path)
    write_text(run.open_work("baseline", "a") / "measured", "")
    assert (run.open_work("baseline", "a") / "measured").exists()
    assert not (run.open_work("baseline", "b") / "measured").exists()
    assert run.interrupted() == ["baseline"]


def test_a_stage_replaces_its_folder_only_when_complete(tmp_path):
    run = RunDirectory(tmp_path)
    finish(run, "baseline", "a", "first: 1\n")
    run.open_work("baseline", "b")
    assert run.identity("baseline") == "a"
    finish(run, "baseline", "b", "second: 2\n")
    assert run.identity("baseline") == "b"
    assert run.interrupted() == []


def test_a_kill_between_the_two_renames_is_mended(tmp_path):
    run = RunDirectory(tmp_path)
    folder = finish(run, "baseline", "a", "first: 1\n")
    (tmp_path / ".old").mkdir()
    move_folder(folder, tmp_path / ".old" / "baseline")
    run.recover()
    assert run.identity("baseline") == "a"
    assert not (tmp_path / ".old").exists()


def test_a_stage_starts_from_what_the_stages_before_it_decided(tmp_path):
    run = RunDirectory(tmp_path)
    finish(run, "inspect-data", "a", "one: 1\n")
    finish(run, "overfit", "b", "two: 2\n")
    assert run.recipe_before("inspect-data") is None
    assert run.recipe_before("baseline").read_text() == "one: 1\n"
    assert run.recipe_before("overfit").read_text() == "one: 1\n"
    assert run.recipe_before("tune").read_text() == "two: 2\n"


def test_every_opening_of_the_test_split_is_counted(tmp_path):
    run = RunDirectory(tmp_path)
    assert [run.count_test_opening("ensemble") for _ in range(2)] == [1, 2]
    assert len(RunDirectory(tmp_path).run.test_opened) == 2
