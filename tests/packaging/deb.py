#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Installs the .deb into a clean Debian, starts the router there, upgrades,
removes and purges it. Needs root.
"""

import argparse
import pathlib
import re
import shutil
import stat
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import roots  # noqa: E402
import service  # noqa: E402

CONFIG = "/etc/bandit-router/router.yaml"
DEFAULTS = "/etc/default/bandit-router"
UNIT = "/lib/systemd/system/bandit-router.service"
COMPLETIONS = (
    "/usr/share/bash-completion/completions/banditctl",
    "/usr/share/zsh/vendor-completions/_banditctl",
    "/usr/share/fish/vendor_completions.d/banditctl.fish",
)


def installed(root, package, log):
    """A first installation: what is there, and whose."""
    shutil.copy(package, root.inside("/package.deb"))
    root.install("/package.deb", log=log)
    for path in ("/usr/bin/bandit-router", "/usr/bin/banditctl", CONFIG,
                 DEFAULTS, UNIT, "/usr/share/doc/bandit-router/copyright",
                 *COMPLETIONS):
        assert root.inside(path).exists(), f"no {path}"
    said = root.run(["dpkg-deb", "--contents", "/package.deb"])
    for page in ("man8/bandit-router.8.gz", "man1/banditctl.1.gz"):
        assert page in said, f"no {page} in the package"
    assert not re.search(r"\.(a|h|cmake)\n", said), "a library is in it"
    conffiles = root.run(["dpkg-query", "-W", "-f", "${Conffiles}",
                          "bandit-router"])
    assert CONFIG in conffiles and DEFAULTS in conffiles, conffiles
    # Shared libraries: found by dpkg-shlibdeps, and enough.
    depends = root.run(["dpkg-query", "-W", "-f", "${Depends}",
                        "bandit-router"])
    for library in ("libc6", "libgrpc++", "libnghttp2", "libssl3"):
        assert library in depends, depends
    root.run(["bash", "-n", COMPLETIONS[0]])
    assert "not found" not in root.run(["ldd", "/usr/bin/bandit-router"])
    assert mode(root, DEFAULTS) == 0o640, "secrets are readable by all"
    assert mode(root, "/etc/bandit-router") == 0o750
    root.run(["bandit-router", "--check", "--config", CONFIG])


def mode(root, path):
    return stat.S_IMODE(root.inside(path).stat().st_mode)


def runs_as_its_user(root):
    """As the unit starts it, with a state directory as systemd makes it."""
    user = root.run(["id", "-u", "bandit-router"]).strip()
    group = root.run(["id", "-g", "bandit-router"]).strip()
    assert 0 < int(user) < 1000, f"not a system user: {user}"
    root.run(["install", "-d", "-o", user, "-g", group, "-m", "0750",
              "/var/lib/bandit-router"])
    said = service.serves(root, f"{user}:{group}", "/srv/router.yaml")
    assert "stopped" in said, said
    assert root.inside("/var/lib/bandit-router/state.db").exists()


def lives_on(root, log):
    """An upgrade keeps the user's config, a removal too; a purge leaves
    nothing."""
    config = root.inside(CONFIG)
    config.write_text(config.read_text() + "# mine\n")
    root.run(["dpkg", "-i", "/package.deb"], log=log)
    assert config.read_text().endswith("# mine\n"), "the config is overwritten"
    root.run(["apt-get", "remove", "-q", "-y", "bandit-router"], log=log)
    assert not root.inside("/usr/bin/bandit-router").exists()
    assert config.exists() and root.inside("/var/lib/bandit-router").exists()
    root.run(["apt-get", "purge", "-q", "-y", "bandit-router"], log=log)
    for path in ("/etc/bandit-router", DEFAULTS, "/var/lib/bandit-router"):
        assert not root.inside(path).exists(), f"{path} is left"


def main():
    parser = argparse.ArgumentParser(
        prog="./dev k8s deb", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=pathlib.Path, required=True,
                        help=argparse.SUPPRESS)
    parser.add_argument("package", type=pathlib.Path, help="the .deb")
    options = parser.parse_args()
    log = options.cache / "deb.log"
    try:
        made = roots.Roots(options.cache)
        root = made.fresh("deb")
        log.write_text("")
        roots.say(f"installing {options.package.name}")
        installed(root, options.package, log)
        roots.say("starting it")
        runs_as_its_user(root)
        roots.say("upgrade, removal, purge")
        lives_on(root, log)
    except (roots.Failed, AssertionError) as error:
        print(f"deb: {error}\n(all of it: {log})", file=sys.stderr)
        return 1
    size = options.package.stat().st_size / 1e6
    print(f"deb: {options.package.name}, {size:.1f} MB: installed, served a "
          "request, upgraded, removed and purged")
    return 0


if __name__ == "__main__":
    sys.exit(main())
