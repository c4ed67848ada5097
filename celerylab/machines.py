"""The machines that the course runs on. Apart from what is done for them: the command line names them."""

from enum import StrEnum


class Platform(StrEnum):
    """What a folder is for, by the name that people give it."""

    LINUX_X86_64 = "linux-x86_64"
    LINUX_AARCH64 = "linux-aarch64"
    MACOS_ARM64 = "macos-arm64"
    MACOS_X86_64 = "macos-x86_64"


class Python(StrEnum):
    """The Pythons that the course runs on."""

    V3_11 = "3.11"
    V3_12 = "3.12"
    V3_13 = "3.13"
    V3_14 = "3.14"
