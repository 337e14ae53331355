"""component.yaml as a record; the wrong ones are in tests/cases."""

from __future__ import annotations

from pathlib import Path

import pytest
from ringfence.contract.errors import ManifestError
from ringfence_composer.build import source_of
from ringfence_composer.manifest.component import LANGUAGES, load_component

ROOT = Path(__file__).parents[2]


def test_the_vendor_client_is_read_as_written() -> None:
    found = load_component(ROOT / "components" / "vendor-client")
    assert (found.name, found.language, found.world, found.module) == ("vendor-client", "python", "vendor-client", "app")
    assert found.wit_deps == (ROOT / "wit" / "json", ROOT / "wit" / "pricing")
    assert [one.name for one in found.requirements] == ["h11"]
    source = source_of(found)
    assert (source.wit, source.source) == (ROOT / "components/vendor-client/wit", ROOT / "components/vendor-client/src")
    assert source.requirements[0].sha256 == found.requirements[0].sha256


@pytest.mark.parametrize("folder", sorted(path.parent.name for path in (ROOT / "components").glob("*/component.yaml")))
def test_every_component_of_the_project_is_valid(folder: str) -> None:
    assert load_component(ROOT / "components" / folder).language in LANGUAGES


def test_a_folder_without_a_manifest_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"there is no component\.yaml in this folder"):
        load_component(tmp_path, show_as=".")


@pytest.mark.parametrize("spelling", ["../secrets", "link", "src/../../secrets"])
def test_a_component_builds_from_its_own_folder_only(tmp_path: Path, spelling: str) -> None:
    """Else a stranger's component could carry away what lies beside it."""
    folder = tmp_path / "component"
    for inner in ("wit", "src"):
        (folder / inner).mkdir(parents=True)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "app.py").write_text("")
    (folder / "src" / "app.py").write_text("")
    (folder / "link").symlink_to(tmp_path / "secrets")
    text = "ringfence: 1\ncomponent: c\nlanguage: python\nwit: wit\nworld: w\nsource: {}\nmodule: app\n"
    (folder / "component.yaml").write_text(text.format("src"))
    load_component(folder)
    (folder / "component.yaml").write_text(text.format(spelling))
    with pytest.raises(ManifestError, match="leads out of this component's folder"):
        load_component(folder)
