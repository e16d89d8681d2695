"""Which packages are installed."""

from importlib.metadata import PackageNotFoundError, version


def installed_version(package: str) -> str | None:
    """Return the version of a package that pip installed; a folder of its name in the working folder is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def is_installed(package: str) -> bool:
    """Return whether pip installed a package."""
    return installed_version(package) is not None
