"""Which system package stands for which distribution: precise, or nothing."""

from detente.distro.contents import COMMAND, METADATA, MODULE, PORTION, PRIVATE, PUBLIC, Finding
from detente.distro.matching import NAMESPACE, Matched, Package, match


def metadata(name: str, *packages: str, where: str = PUBLIC, version: str = "1.0") -> Finding:
    return Finding(METADATA, name, packages, version, where)


def command(name: str, package: str) -> Finding:
    return Finding(COMMAND, name, (package,))


def package(source: str, *depends: str) -> Package:
    return Package("1.0-1", source, frozenset(depends))


def row(matched: Matched, name: str) -> tuple[str, str, tuple[str, ...]]:
    found = {one.name: one for one in matched.rows}[name]
    return found.package, found.application, found.commands


def test_a_library_has_a_package_and_no_application() -> None:
    matched = match([metadata("pyyaml", "python3-yaml", version="6.0")], {"python3-yaml": package("pyyaml")})
    assert row(matched, "pyyaml") == ("python3-yaml", "", ())
    assert matched.rows[0].recorded == "1.0-1"
    assert matched.versions == {"pyyaml": "6.0"}


def test_programs_beside_the_metadata_are_the_applications() -> None:
    found = [metadata("httpie", "httpie"), command("http", "httpie"), command("https", "httpie")]
    assert row(match(found, {"httpie": package("httpie")}), "httpie") == ("httpie", "httpie", ("http", "https"))


def test_programs_in_another_package_of_the_source_that_needs_the_metadata_are_too() -> None:
    found = [metadata("certbot", "python3-certbot"), command("certbot", "certbot")]
    packages = {"python3-certbot": package("python-certbot"), "certbot": package("python-certbot", "python3-certbot")}
    assert row(match(found, packages), "certbot") == ("python3-certbot", "certbot", ("certbot",))


def test_the_need_may_lead_over_another_package_of_the_source() -> None:
    found = [metadata("demo", "python3-demo"), command("demo", "demo")]
    packages = {
        "python3-demo": package("demo"),
        "demo-common": package("demo", "python3-demo"),
        "demo": package("demo", "demo-common"),
    }
    assert row(match(found, packages), "demo")[1] == "demo"


def test_a_namesake_of_another_source_is_not_the_application() -> None:
    found = [metadata("docker", "python3-docker"), command("docker", "docker")]
    packages = {"python3-docker": package("python-docker"), "docker": package("wmdocker", "python3-docker")}
    assert row(match(found, packages), "docker") == ("python3-docker", "", ())


def test_a_package_of_the_source_that_does_not_need_the_metadata_is_not_either() -> None:
    found = [metadata("protobuf", "python3-protobuf"), command("protoc", "protobuf-compiler")]
    packages = {"python3-protobuf": package("protobuf"), "protobuf-compiler": package("protobuf")}
    assert row(match(found, packages), "protobuf") == ("python3-protobuf", "", ())


def test_where_two_packages_could_have_the_command_neither_is_taken() -> None:
    found = [metadata("demo", "python3-demo"), command("one", "demo-one"), command("two", "demo-two")]
    packages = {
        "python3-demo": package("demo"),
        "demo-one": package("demo", "python3-demo"),
        "demo-two": package("demo", "python3-demo"),
    }
    assert row(match(found, packages), "demo") == ("python3-demo", "", ())
    assert row(match([*found, command("demo", "demo-two")], packages), "demo")[1] == "demo-two"


def test_the_package_with_the_command_of_the_name_beats_one_with_others() -> None:
    found = [
        metadata("mercurial", "mercurial-common"),
        command("hg-ssh", "mercurial-common"),
        command("hg", "mercurial"),
    ]
    packages = {"mercurial-common": package("mercurial"), "mercurial": package("mercurial", "mercurial-common")}
    assert row(match(found, packages), "mercurial") == ("mercurial-common", "mercurial", ("hg",))


def test_of_several_distributions_in_one_package_only_namesakes_get_a_command() -> None:
    found = [
        metadata("demo-tool", "python3-both"),
        metadata("library", "python3-both"),
        command("demo_tool", "python3-both"),
        command("odd", "python3-both"),
    ]
    matched = match(found, {"python3-both": package("both")})
    assert row(matched, "demo-tool") == ("python3-both", "python3-both", ("demo_tool",))
    assert row(matched, "library") == ("python3-both", "", ())


def test_of_two_packages_with_one_name_that_of_the_rule_is_taken() -> None:
    found = [metadata("click", "python3-click", "python3-click-package")]
    packages = {"python3-click": package("click"), "python3-click-package": package("ubuntu-click")}
    assert row(match(found, packages), "click")[0] == "python3-click"


def test_what_python_can_import_beats_an_applications_own_directory() -> None:
    found = [metadata("borgbackup", "borgbackup"), metadata("borgbackup", "borgbackup2", where=PRIVATE)]
    packages = {"borgbackup": package("borgbackup"), "borgbackup2": package("borgbackup2")}
    assert row(match(found, packages), "borgbackup")[0] == "borgbackup"


def test_where_nothing_decides_the_name_is_left_out_and_named() -> None:
    found = [metadata("petsc4py", "python3-petsc4py-real", "python3-petsc4py-complex")]
    packages = {"python3-petsc4py-real": package("petsc4py"), "python3-petsc4py-complex": package("petsc4py")}
    matched = match(found, packages)
    assert matched.rows == []
    assert matched.shared == {"petsc4py": ("python3-petsc4py-complex", "python3-petsc4py-real")}


def test_packages_that_the_index_does_not_have_do_not_count() -> None:
    found = [metadata("demo", "python3-demo", "python3-gone"), Finding(MODULE, "gone", ("python3-gone",))]
    matched = match(found, {"python3-demo": package("demo")})
    assert row(matched, "demo")[0] == "python3-demo"
    assert matched.modules == {}


def test_a_module_belongs_to_who_has_it_and_a_crowded_namespace_to_nobody() -> None:
    crowd = [Finding(PORTION, "azure", (f"python3-azure-{number}",)) for number in range(NAMESPACE + 1)]
    found = [
        *crowd,
        Finding(MODULE, "yaml", ("python3-yaml",)),
        Finding(PORTION, "yaml", ("python3-yaml-more",)),
        Finding(PORTION, "ns", ("python3-b",)),
        Finding(PORTION, "ns", ("python3-a",)),
    ]
    assert match(found, {}).modules == {"ns": ("python3-a", "python3-b"), "yaml": ("python3-yaml",)}
