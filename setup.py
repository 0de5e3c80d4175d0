"""What pyproject.toml cannot say: the suites in expectations/ are installed as icx/expectations."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["icx", "icx.*"]), "icx.expectations"],
    package_dir={"icx.expectations": "expectations"},
)
