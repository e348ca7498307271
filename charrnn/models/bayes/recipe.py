"""The initial config of a naive Bayes model; there is nothing to choose."""

from charrnn.models.bayes.config import BayesConfig
from charrnn.models.recipe import CorpusStatistics, Given, Recipe


class BayesRecipe(Recipe):
    """The sizes of naive Bayes models."""

    @staticmethod
    def sizes(
        data: CorpusStatistics, given: Given, training: Given, device: str
    ) -> tuple[BayesConfig, list[str]]:
        """Return a config with the vocabulary sizes; it has no choices to explain.

        given: not used, because it can contain sizes that only networks have.
        """
        return BayesConfig(data.vocab_size, data.source_size), []
