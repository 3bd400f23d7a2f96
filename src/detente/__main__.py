"""`python -m detente`, and what the command of an installed detente runs by its path, with any Python there is.

Run by path in isolated mode, nothing but the standard library can be imported yet: the directory that holds this
package comes first then. It is named as we were called, never through links: the links around it are detente's own
dependencies.
"""

import os
import sys

if not __package__:
    _package = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [os.path.dirname(_package), *(entry for entry in sys.path if entry != _package)]

from detente.cli.main import main  # found only after the above

if __name__ == "__main__":
    sys.exit(main())
