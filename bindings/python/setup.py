"""Builds libottla with cargo and puts it beside the package; a wheel so made is good for every Python of this platform.

The Rust sources are those of the repository around this folder, or in `rust/`, where a source distribution has them.
OTTLA_LIBRARY names a library that is built already; OTTLA_CARGO_TARGET another platform to build for.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
#: What cargo needs to build the library.
SOURCES = ("Cargo.toml", "Cargo.lock", "build.rs", "LICENSE", "README.md", "src", "include")
LIBRARY = {"darwin": "libottla.dylib", "win32": "ottla.dll"}.get(sys.platform, "libottla.so")


def sources() -> Path:
    for folder in (HERE / "rust", ROOT):
        if (folder / "Cargo.toml").is_file() and (folder / "src" / "capi").is_dir():
            return folder
    raise SystemExit("the Rust sources of ottla are not here")


def build_library() -> Path:
    """The path of the library, built if need be."""
    given = os.environ.get("OTTLA_LIBRARY")
    if given:
        return Path(given)
    folder = sources()
    target = Path(os.environ.get("CARGO_TARGET_DIR") or folder / "target")
    # rustc's own way of --crate-type: the static archive is not needed here.
    command = ["cargo", "rustc", "--release", "--lib", "--crate-type", "cdylib", "--target-dir", str(target)]
    platform = os.environ.get("OTTLA_CARGO_TARGET")
    if platform:
        command += ["--target", platform]
        target /= platform
    try:
        subprocess.run(command, cwd=folder, check=True)
    except FileNotFoundError:
        raise SystemExit("building ottla needs cargo (https://rustup.rs), or a wheel for this platform") from None
    return target / "release" / LIBRARY


class BuildPackage(build_py):
    """The package with the library in it."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            shutil.copy2(build_library(), Path(self.build_lib) / "ottla" / LIBRARY)


class Wheel(bdist_wheel):
    """py3-none: the library is called through ctypes, so only the platform matters."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.root_is_pure = False

    def get_tag(self):  # type: ignore[no-untyped-def]
        return ("py3", "none", os.environ.get("OTTLA_WHEEL_PLATFORM") or super().get_tag()[2])


class Package(Distribution):
    """One that goes to the folder for platform-dependent packages."""

    def has_ext_modules(self) -> bool:
        return True


class SourceDistribution(sdist):
    """Brings the Rust sources along."""

    def make_release_tree(self, base_dir, files):  # type: ignore[no-untyped-def]
        super().make_release_tree(base_dir, files)
        for name in SOURCES:
            origin, place = sources() / name, Path(base_dir) / "rust" / name
            if name == "Cargo.toml":
                place.parent.mkdir(exist_ok=True)
                # The sections of tests name files that are not brought along.
                place.write_text(re.sub(r"\[\[test\]\]\n(?:.+\n)+\n", "", origin.read_text()))
                continue
            if origin.is_dir():
                shutil.copytree(origin, place)
            else:
                place.parent.mkdir(exist_ok=True)
                shutil.copy2(origin, place)


setup(distclass=Package, cmdclass={"bdist_wheel": Wheel, "build_py": BuildPackage, "sdist": SourceDistribution})
