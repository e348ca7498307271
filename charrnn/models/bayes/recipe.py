"""The config of a naive Bayes model before counting; there is nothing to choose."""

from charrnn.models.bayes.config import BayesConfig
from charrnn.models.recipe import CorpusStatistics, Given, Recipe


class BayesRecipe(Recipe):
    """The sizes of naive Bayes models."""

    @staticmethod
    def sizes(
        data: CorpusStatistics, given: Given, training: Given, device: str
    ) -> tuple[BayesConfig, list[str]]:
        """Return a config with the sizes of the vocabularies, and no reasons.

        given: not used; it may contain sizes that only a network needs.
        """
        return BayesConfig(data.vocab_size, data.source_size), []
