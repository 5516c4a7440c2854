"""Set-up on machines that lack things: scripts/setup.sh with stand-ins for what it calls."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import tree

REAL = """awk basename bash cat chmod cmp cp cut dirname env find flock grep head ls mkdir mv paste
printf rm sed sh sha256sum sort stat tail touch tr xargs""".split()

# Installed Debian packages are the lines of `installed`; apt-get adds to it. `apt-fails` makes
# installing fail, `lists` holds what apt-cache knows (filled by apt-get update).
FAKES = {
    "id": 'cat "$STATE/uid"',
    "dpkg-query": '[ "$1" != -L ] || { ls "$BIN/cargo" "$BIN/rustc"; exit; }; shift 3; for p; do grep -qx "$p" "$STATE/installed" && echo "$p installed"; done; true',
    "apt-get": """
        echo "apt-get $*" >>"$STATE/calls"
        case "$*" in
          *" update"*) [ ! -e "$STATE/no-network" ] || { echo "E: failed to fetch"; exit 100; }
             touch "$STATE/lists" ;;
          *) [ -e "$STATE/lists" ] && [ ! -e "$STATE/no-network" ] || { echo "E: unable"; exit 100; }
             for p; do echo "$p"; done >>"$STATE/installed"
             case "$*" in *cargo-web*) rm "$STATE/rust"; echo 1.96.0 >"$STATE/rust" ;; esac ;;
        esac""",
    "apt-cache": """
        [ -e "$STATE/lists" ] || exit 0
        case "$*" in
          "policy cargo-web") echo "  Candidate: 1.96.0+dfsg1-1~deb12u2" ;;
          "policy cargo") echo "  Candidate: 0.66.0+ds1-1" ;;
        esac""",
    "cargo": """
        case $1 in
          --version) echo "cargo $(cat "$STATE/rust")" ;;
          *) echo "cargo $*" >>"$STATE/calls"; [ ! -e "$STATE/no-network" ] ;;
        esac""",
    "rustc": 'echo "rustc $(cat "$STATE/rust")"',
    # Makes an environment whose python, asked to install, unpacks a tiny wheel of each name.
    "python3": r"""
        [ "$1" = -c ] && exit 0
        bin=$3/bin; mkdir -p "$bin" "$3/lib/python3.12/site-packages"
        cp "$STATE/pip" "$bin/python"; touch "$bin/pip" "$bin/activate" """,
}
PIP = r"""#!/bin/sh
[ "$1" = -c ] && exit "$(cat "$STATE/old-python")"
echo "pip $*" >>"$STATE/calls"
[ ! -e "$STATE/no-network" ] || { echo "ERROR: no network"; exit 1; }
site=$(dirname "$0")/../lib/python3.12/site-packages
mkdir -p "$site/torch/lib"
for wheel in torch-2.15.0 nvidia_cuda_runtime-13.5.37 nvidia_cuda_cupti-13.5.25; do
  mkdir -p "$site/$wheel.dist-info"
  printf 'abc' >"$site/torch/lib/lib${wheel%%-*}.so.1"
  # Lines end as those that pip writes.
  printf 'torch/lib/lib%s.so.1,sha256=x,3\r\ntorch/x.py,sha256=x,9\r\n' "${wheel%%-*}" >"$site/$wheel.dist-info/RECORD"
done
"""


class Setup(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = pathlib.Path(scratch.name)
        self.bin, self.state, self.project = (self.root / n for n in ("bin", "state", "project"))
        for folder in (self.bin, self.state, self.project / "rust"):
            folder.mkdir(parents=True)
        shutil.copytree(tree.ROOT / "scripts", self.project / "scripts")
        self.write(self.project / "scripts/packages.txt", "libone-dev\nlibtwo-dev  # remark\nninja-build\n")
        self.write(self.project / "rust/Cargo.toml", 'rust-version = "1.85"\n')
        self.write(self.project / "rust/Cargo.lock", "crates\n")
        for name in REAL:
            (self.bin / name).symlink_to(shutil.which(name))
        for name, script in FAKES.items():
            self.program(self.bin / name, "#!/bin/sh\n" + script + "\n")
        self.program(self.bin / "ninja", "#!/bin/sh\n")
        self.program(self.state / "pip", PIP)
        for name, text in {
            "uid": "0\n", "installed": "libone-dev\nlibtwo-dev\n", "rust": "1.95.0\n",
            "old-python": "0\n", "calls": "", "lists": "",
        }.items():  # fmt: skip
            self.write(self.state / name, text)

    def write(self, path, text):
        path.write_text(text, encoding="utf-8")

    def program(self, path, text):
        self.write(path, text)
        path.chmod(0o755)

    def run_setup(self, *parts, **variables):
        self.write(self.state / "calls", "")
        environment = {"PATH": str(self.bin), "STATE": str(self.state), "BIN": str(self.bin), "HOME": str(self.root)}
        return subprocess.run(
            [str(self.project / "scripts/setup.sh"), *parts], env=environment | variables,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    def calls(self):
        return (self.state / "calls").read_text(encoding="utf-8")

    def assert_done(self, *parts, **variables):
        result = self.run_setup(*parts, **variables)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stderr

    def assert_stops(self, *words, **variables):
        result = self.run_setup(**variables)
        self.assertEqual(result.returncode, 1, result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)

    def missing(self):
        self.write(self.state / "installed", "libone-dev\n")

    def lib(self):
        return self.project / ".deps/torch/lib/python3.12/site-packages/torch/lib/libtorch.so.1"

    def test_a_second_run_does_nothing(self):
        self.assertIn("torch 2.15.0", self.assert_done())
        self.assertIn("torch==2.15.0", self.calls())
        self.assertEqual(self.assert_done(), "")
        self.assertEqual(self.calls(), "")

    def test_root_installs_what_is_missing_and_only_that(self):
        self.missing()
        self.assert_done()
        self.assertRegex(self.calls(), "install .*libtwo-dev\n")
        self.assertNotIn("libone-dev", self.calls())

    def test_a_machine_that_never_updated_its_lists_is_updated(self):
        self.missing()
        (self.state / "lists").unlink()
        self.assert_done()
        self.assertRegex(self.calls(), "(?s)install.*update.*install")

    def test_sudo_is_used_where_it_needs_no_password(self):
        self.missing()
        self.write(self.state / "uid", "1000\n")
        self.program(self.bin / "sudo", '#!/bin/sh\n[ "$1" = -n ] && shift\n"$@"\n')
        self.program(self.bin / "true", "#!/bin/sh\n")
        self.assert_done()

    def test_without_rights_the_missing_packages_and_the_command_are_named(self):
        self.missing()
        self.write(self.state / "uid", "1000\n")
        self.assert_stops("neither root nor sudo", ": libtwo-dev\n", "apt-get install -y")
        self.assertEqual(self.calls(), "")

    def test_without_network_the_missing_packages_and_the_command_are_named(self):
        self.missing()
        (self.state / "no-network").touch()
        self.assert_stops("no network?", ": libtwo-dev\n", "apt-get install -y", "E: failed to fetch")

    def test_an_old_rust_is_replaced_by_the_newest_package(self):
        self.write(self.state / "rust", "1.63.0\n")
        self.assert_done()
        self.assertIn("cargo-web rustc-web", self.calls())
        wrapper = (self.project / ".deps/bin/cargo").read_text(encoding="utf-8")
        self.assertIn(f"RUSTC={self.bin}/rustc exec {self.bin}/cargo", wrapper)

    def test_an_old_rust_without_rights_is_named(self):
        self.write(self.state / "rust", "1.63.0\n")
        self.write(self.state / "uid", "1000\n")
        self.assert_stops("Rust 1.85 or newer is missing", "cargo-web rustc-web")

    def test_a_given_bridge_needs_no_rust(self):
        self.write(self.state / "rust", "1.63.0\n")
        self.write(self.state / "uid", "1000\n")
        self.assert_done(LATHE_BRIDGE="bridge.a")
        self.assertNotIn("cargo", self.calls())

    def test_crates_are_fetched_again_when_the_lock_file_changes(self):
        self.assert_done()
        self.write(self.project / "rust/Cargo.lock", "other crates\n")
        self.assert_done()
        self.assertIn("cargo fetch --locked", self.calls())

    def test_crates_that_cannot_be_fetched_are_named(self):
        (self.state / "no-network").touch()
        self.assert_stops("crates", "cargo fetch --locked")

    def test_a_wheel_that_cannot_be_fetched_is_named_and_then_resumed(self):
        self.assert_done(TORCH_DIR=self.given_torch())
        (self.state / "no-network").touch()
        self.assert_stops("torch wheel", "pip install --no-deps torch==2.15.0", "ERROR: no network")
        self.assertFalse((self.project / ".deps/torch").exists())
        (self.state / "no-network").unlink()
        self.assert_done()
        self.assertEqual(sorted(p.name for p in (self.project / ".deps/torch/bin").iterdir()), ["python"])

    def test_a_wheel_with_a_library_cut_short_is_installed_anew(self):
        self.assert_done()
        self.write(self.lib(), "a")
        self.assertIn("torch 2.15.0", self.assert_done())
        self.assertEqual(self.lib().read_text(encoding="utf-8"), "abc")
        self.lib().unlink()
        self.assertIn("torch 2.15.0", self.assert_done())

    def test_an_older_python_takes_the_wheel_of_a_newer_one(self):
        self.write(self.state / "old-python", "1\n")
        self.assert_done()
        self.assertIn("--python-version 3.12 --only-binary=:all:", self.calls())

    def given_torch(self):
        given = self.root / "libtorch"
        (given / "include/ATen").mkdir(parents=True)
        (given / "lib").mkdir()
        (given / "lib/libtorch_cpu.so").touch()
        return str(given)

    def test_another_libtorch_needs_no_wheel_but_must_be_one(self):
        self.assert_done(TORCH_DIR=self.given_torch())
        self.assertNotIn("pip", self.calls())
        self.assert_stops("expected lib/libtorch_cpu.so", TORCH_DIR=str(self.root))

    def test_an_unknown_part_is_an_error(self):
        self.assertIn('found "bulid"', self.run_setup("bulid").stderr)


if __name__ == "__main__":
    os.environ.pop("CI", None)
    unittest.main()
