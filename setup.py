"""What pyproject.toml cannot say: expectations/ and notebooks/ are installed as folders of icx."""

from setuptools import find_packages, setup

BESIDE = {"icx.expectations": "expectations", "icx.notebooks": "notebooks"}

setup(packages=[*find_packages(include=["icx", "icx.*"]), *BESIDE], package_dir=BESIDE)
