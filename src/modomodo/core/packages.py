"""Which packages are installed."""

from importlib.metadata import PackageNotFoundError, version


def is_installed(package: str) -> bool:
    """Return whether pip installed a package: a folder of its name in the working folder is none."""
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True
