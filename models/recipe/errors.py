"""What the recipe says to a person when it cannot go on.

RecipeError
├── DataMissingError       the data folder lacks something: the command ends with status 2
└── ExportError            the exported file breaks the contract with the runtime
"""


class RecipeError(Exception):
    """The recipe cannot go on; the message ends with the next step."""


class DataMissingError(RecipeError):
    """The data folder, or a file in it, is not there."""


class ExportError(RecipeError):
    """A converted model does not keep the contract that the runtime relies on."""
