"""Targets: 60 dangerous ones are refused before anything is imported; what a config needs is allowed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from recipe.record.refusal import Refusal
from recipe.trust import check_target, check_targets

DANGEROUS = re.findall(
    r"\S+",
    """
builtins.eval builtins.exec builtins.open builtins.__import__ builtins.compile os.system os.popen os.remove
os.makedirs os.kill shutil.rmtree shutil.copy shutil.move subprocess.Popen subprocess.run subprocess.check_output
importlib.import_module runpy.run_path pickle.loads pickle.load marshal.loads shelve.open joblib.load numpy.load
pandas.read_pickle yaml.unsafe_load urllib.request.urlopen urllib.request.urlretrieve socket.socket
http.client.HTTPConnection ftplib.FTP webbrowser.open logging.FileHandler logging.config.fileConfig
tempfile.NamedTemporaryFile ctypes.CDLL multiprocessing.Process threading.Thread functools.partial
operator.methodcaller types.FunctionType code.interact pdb.run sys.exit atexit.register hydra.utils.instantiate
hydra.utils.get_method hydra._internal.utils._locate omegaconf.OmegaConf.load torch.load torch.save torch.hub.load
torch.hub.load_state_dict_from_url torch.utils.cpp_extension.load torch.jit.load torch.package.PackageImporter
torch.serialization.load torch.multiprocessing.spawn torch.distributed.init_process_group
torch.utils.model_zoo.load_url torch.ops.load_library torch.classes.load_library torch.utils.data.DataLoader
torch.utils.data.datapipes.iter.FileOpener torch.utils.data.dataloader.os.system torch.utils.data.sampler.torch.load
torch.nn.functional.torch.hub.load torch.nn.modules.module.torch.load torch.optim.optimizer.torch.load
torch.nn.functional.warnings.warn torch.nn.modules.module.functools.partial torch.optim.lr_scheduler.warnings.warn
torch.nn.Module.__init__.__globals__ torch.nn.modules.module.Module.apply.__globals__ torchvision.datasets.CIFAR10
torchvision.datasets.utils.download_url torchvision.io.write_file torchvision.utils.save_image
torchvision.models.resnet.load_state_dict_from_url torchvision.extension._load_library timm.models.load_checkpoint
timm.models.load_state_dict timm.utils.CheckpointSaver recipe.record.files.remove recipe.record.files.write_text
recipe.cli.main recipe.run.run_stage recipe.commands.configs.cp recipe.training.seeding.hashlib.new
recipe.models.mlp.math.prod __main__.x mypackage.Net
""",
)

ALLOWED = re.findall(
    r"\S+",
    """
torch.nn.Linear torch.nn.CrossEntropyLoss torch.nn.functional.cross_entropy torch.nn.functional.conv2d
torch.nn.modules.loss.MSELoss torch.nn.Embedding.from_pretrained torch.nn.init.kaiming_normal_
torch.nn.utils.parametrizations.weight_norm torch.optim.Adam torch.optim.SGD torch.optim.LBFGS
torch.optim.lr_scheduler.StepLR torch.optim.swa_utils.AveragedModel torch.utils.data.WeightedRandomSampler
torch.utils.data.sampler.SubsetRandomSampler torch.utils.data.TensorDataset torchvision.models.resnet18
torchvision.models.get_model torchvision.ops.sigmoid_focal_loss torchvision.transforms.RandomCrop
torchvision.transforms.v2.RandAugment torchvision.transforms.v2.functional.horizontal_flip
sklearn.metrics.accuracy_score recipe.models.mlp.MLP recipe.training.schedules.Cosine
recipe.search.optuna_samplers.tpe
""",
)


@pytest.mark.parametrize("target", DANGEROUS)
def test_dangerous_targets_are_refused_and_the_way_to_allow_one_is_told(target: str) -> None:
    with pytest.raises(Refusal) as caught:
        check_target("model", target, ())
    what, fix = caught.value.lines()
    assert target in what
    assert "trust=[" in fix or "install" in fix or "did you mean" in fix or " has " in fix


def test_there_are_enough_of_them() -> None:
    assert len(set(DANGEROUS)) >= 60


@pytest.mark.parametrize("target", ALLOWED)
def test_what_a_config_needs_is_allowed(target: str) -> None:
    check_target("model", target, ())


@pytest.mark.parametrize("target", [3, None, "", "Net", "a b.c", ".a.b", "a..b", "os.system()", "a.b-c"])
def test_what_is_no_dotted_name(target: object) -> None:
    with pytest.raises(Refusal):
        check_target("model", target, ("a", "os"))


def test_targets_are_found_however_deep() -> None:
    config = {"a": [{"b": {"_target_": "torch.nn.ReLU", "c": [{"_target_": "os.system"}]}}]}
    with pytest.raises(Refusal, match="os\\.system") as caught:
        check_targets(config, ())
    assert caught.value.where == "a[0].b.c[0]._target_"


def test_a_user_vouches_for_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "mine.py").write_text("raise SystemExit('imported')\nclass Net: ...\n")
    check_target("model", "mine.Net", ("mine",))
    with pytest.raises(Refusal, match="not among the code"):
        check_target("model", "mineral.Net", ("mine",))
    with pytest.raises(Refusal) as caught:
        check_target("model", "mine.Nett", ("mine",))
    assert "did you mean Net?" in caught.value.fix
    with pytest.raises(Refusal) as caught:
        check_target("model", "min.Net", ("min",))
    assert "did you mean mine?" in caught.value.fix


def test_an_installed_module_that_hides_the_users_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "msgspec.py").write_text("class Net: ...\n")
    with pytest.raises(Refusal, match="hidden by the installed"):
        check_target("model", "msgspec.Net", ("msgspec",))


def test_a_missing_package_is_named() -> None:
    if subprocess.run([sys.executable, "-c", "import timm"], capture_output=True, check=False).returncode == 0:
        pytest.skip("timm is installed")
    with pytest.raises(Refusal, match="not installed"):
        check_target("model", "timm.create_model", ())


def test_nothing_is_imported_on_the_way() -> None:
    code = (
        "import sys; from recipe.trust import check_target\n"
        f"for target in {ALLOWED!r}: check_target('x', target, ())\n"
        "assert not {'torch', 'torchvision', 'sklearn', 'numpy', 'hydra'} & sys.modules.keys()"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
