"""détente: one front door for Python packages on Linux, at peace with the distribution."""

__version__ = "0.1.0"
