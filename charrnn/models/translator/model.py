"""The translator, for inference: an encoder and a decoder.

It is a language model of outputs whose initial state depends on the input:

    P(y_1 ... y_n | x) = product over t of P(y_t | y_1 ... y_{t-1}, x)

Without attention (`attention` none; Cho et al. 2014), the decoder reads one vector c,
the encoder's summary of the input, at every step:

     x_1 --> x_2 --> x_3 = c                      encoder
                         |
              .----------+----------.
              v          v          v
             s_1 -----> s_2 -----> s_3            decoder
              |          |          |
             y_1        y_2        y_3            outputs; s_t also reads y_{t-1}

With attention, there is a context c_t for each step, a weighted sum of the encoder's
outputs m_1 ... m_S (see attention.py). As in Wu et al. (2016), the decoder's lower
layer provides the query q_t, and its upper layer reads the context:

     m_1     m_2     m_3                          outputs of the encoder
      |       |       |
      '--a_t1-+-a_t2--'-a_t3--> c_t
                       ^         |
                       |         v
     y_{t-1} --------> q_t ---> h_t ---> r_t ---> y_t

    q_t    = norm_0(cell_0(E y_{t-1}))
    c_t    = attend(q_t, m_1 ... m_S)
    h_t    = norm_1(cell_1([q_t; c_t])) + q_t
    r_t    = tanh(R [h_t; c_t] + b_R)
    logits = W r_t + b_W

No layer needs the context of the previous step (there is no "input feeding"), so
training computes each layer for the whole output at once. The bridge sets the initial
state of both layers: tanh(B c + b_B), where c is the encoder's summary.

With `copy`, the decoder can also copy tokens from the input (See et al. 2017):

    g_t    = sigmoid(G r_t + b_G)
    m_t    = total weight of the positions s whose token can be copied (as w_s)
    p(w)   = (1 - (1 - g_t) m_t) softmax(logits)_w + (1 - g_t) sum_s a_{t,s} [w_s = w]

Tokens that cannot be copied, such as the features of an inflection, leave their weight
to the softmax, so probabilities sum to 1. With `copy`, the model returns ln p.

The parameters:

    source_embedding.weight (N, E)               N is the vocabulary size of inputs
    encoder. ...                                 see encoder/model.py
    bridge.weight, bridge.bias                   B, with rows for each array of a state
    embedding.weight (V, E)                      E
    decoder.K.weight_ih, ...                     see cells.py
    norms.K.weight, norms.K.bias (H,)
    attention. ...                               see attention.py
    read_out.weight (H, H+D), read_out.bias      R
    head.weight (V, H), head.bias                W
    gate.weight (1, H), gate.bias                G, only with `copy`

Shape letters: B batch, T time, S source time, V vocabulary, E embedding, H hidden, D
output of the encoder, A keys.
"""

import numpy as np

from charrnn.models import ATTENTIONS, CELLS
from charrnn.models.attention import Attention, attention_weights
from charrnn.models.base import (
    ConditionalModel,
    ConfiguredModel,
    Floats,
    State,
    Tensors,
    Tokens,
    float_tensors,
    log_softmax,
    under,
)
from charrnn.models.cells import NUMPY
from charrnn.models.encoder.model import Encoder, encoder_shapes
from charrnn.models.recurrent.steps import affine, layer_norm, steps_of
from charrnn.models.translator.config import TranslatorConfig

DECODER_LAYERS = 2
#: keeps the logarithm of a probability finite
LEAST_PROBABILITY = 1e-30
#: maximum size of an array (B, T, S, H) of additive attention
MOST_SCORED = 1 << 22


def parameter_shapes(config: TranslatorConfig) -> dict[str, tuple[int, ...]]:
    """Return the shape of every parameter by name."""
    V, E, H = config.vocab_size, config.embed, config.hidden
    D = H if config.one_way else 2 * H
    cell = CELLS[config.cell]
    shapes: dict[str, tuple[int, ...]] = {
        "source_embedding.weight": (config.source_size, E)
    }
    one_way, norm = config.one_way, config.norm
    shapes |= encoder_shapes("encoder", config.cell, E, H, config.layers, one_way, norm)
    states = DECODER_LAYERS * cell.states * H
    shapes |= {"bridge.weight": (states, D), "bridge.bias": (states,)}
    shapes["embedding.weight"] = (V, E)
    for k in range(DECODER_LAYERS):
        for name, shape in cell.shapes(H + D if k else E, H).items():
            shapes[f"decoder.{k}.{name}"] = shape
    for k in range(DECODER_LAYERS if norm else 0):
        shapes[f"norms.{k}.weight"] = shapes[f"norms.{k}.bias"] = (H,)
    for name, shape in ATTENTIONS[config.attention].shapes(H, D).items():
        shapes[f"attention.{name}"] = shape
    shapes |= {"read_out.weight": (H, H + D), "read_out.bias": (H,)}
    shapes |= {"head.weight": (V, H), "head.bias": (V,)}
    if config.copy:
        shapes |= {"gate.weight": (1, H), "gate.bias": (1,)}
    return shapes


class TranslatorModel(ConfiguredModel, ConditionalModel):
    """A trained translator that runs in NumPy, in float32.

    Its state consists of the state of each decoder layer (B, H), the memory (B, S, D),
    the keys (B, S, A), the number of positions in each row (B,) and, with `copy`, the
    tokens that can be copied (B, S).
    """

    family = "translator"
    config_type = TranslatorConfig
    config: TranslatorConfig

    def __init__(self, config: TranslatorConfig, tensors: Tensors) -> None:
        super().__init__(config, float_tensors(config, tensors, parameter_shapes))
        self._encoder = Encoder("encoder", config.cell, config.layers, self._tensors)
        self._attention: type[Attention] = ATTENTIONS[config.attention]
        self._attention_weights = under("attention.", self._tensors)
        self._states = CELLS[config.cell].states
        layers = range(DECODER_LAYERS)
        groups = [under(f"decoder.{k}.", self._tensors) for k in layers]
        self._layers = [steps_of(config.cell, weights) for weights in groups]
        self._norms = [under(f"norms.{k}.", self._tensors) for k in layers]
        self._copies = np.array(config.copied_as, np.int64)

    def read(self, source: Tokens, lengths: Tokens) -> State:
        """Return the state before the first output token."""
        w = self._tensors
        outputs, summary = self._encode(source.T, lengths)
        bridge = np.tanh(summary @ w["bridge.weight"].T + w["bridge.bias"])
        state = np.split(bridge, DECODER_LAYERS * self._states, axis=1)
        by_row = np.ascontiguousarray(outputs.swapaxes(0, 1))
        memory, read = self._attention.memory(by_row, summary, lengths)
        keys = self._attention.keys(memory, self.config.hidden, self._attention_weights)
        copies = (self._copies[source],) if self.config.copy else ()
        return (*map(np.ascontiguousarray, state), memory, keys, read, *copies)

    def forward(self, tokens: Tokens, state: State) -> tuple[Floats, State]:
        """Return the logits (B, T, V) and the new state."""
        w, first = self._tensors, self._states
        memory, copies = state[2 * first], state[2 * first + 3 :]
        queries, after = self._query(tokens, state)
        weights = self._weights(queries, state)
        context = (weights @ memory).swapaxes(0, 1)
        inputs = np.concatenate([queries, context], axis=-1)
        outputs, upper = self._run(1, inputs, state[first : 2 * first])
        outputs += queries
        joined = np.concatenate([outputs, context], axis=-1)
        read = affine(joined, w["read_out.weight"].T, w["read_out.bias"])
        np.tanh(read, out=read)
        scores = affine(read, w["head.weight"].T, w["head.bias"]).swapaxes(0, 1)
        if self.config.copy:
            gate = affine(read, w["gate.weight"].T, w["gate.bias"]).swapaxes(0, 1)
            scores = copy_scores(scores, NUMPY.sigmoid(gate), weights, copies[0])
        return scores, (*after, *upper, *state[2 * first :])

    def attention(self, tokens: Tokens, state: State) -> Floats:
        """Return the weight of every source position at every step, (B, T, S).

        The weights `[:, t]` are those for predicting the token after `tokens[:, t]`.
        """
        return self._weights(self._query(tokens, state)[0], state)

    def _encode(self, source: Tokens, lengths: Tokens) -> tuple[Floats, Floats]:
        """Return the encoder's outputs (S, B, D) and summaries for a source (S, B)."""
        vectors = self._tensors["source_embedding.weight"]
        if len(vectors) < source.size:
            return self._encoder.look_up(vectors, source.astype(np.intp), lengths)
        return self._encoder.read(vectors[source], lengths)

    def _query(self, tokens: Tokens, state: State) -> tuple[Floats, State]:
        """Return the outputs (T, B, H) and the state of the lower layer."""
        inputs = self._tensors["embedding.weight"][tokens.T]
        return self._run(0, inputs, state[: self._states])

    def _weights(self, queries: Floats, state: State) -> Floats:
        """Return the attention (B, T, S) of queries (T, B, H)."""
        keys, lengths = state[2 * self._states + 1 : 2 * self._states + 3]
        by_row = queries.swapaxes(0, 1)
        steps = max(1, MOST_SCORED // max(1, keys.size))
        scores = [
            self._attention.scores(
                NUMPY, by_row[:, at : at + steps], keys, self._attention_weights
            )
            for at in range(0, max(1, len(queries)), steps)  # T may be 0
        ]
        return attention_weights(np.concatenate(scores, axis=1), lengths)

    def _run(self, k: int, inputs: Floats, state: State) -> tuple[Floats, State]:
        """Return the normalized outputs (T, B, H) of a layer, and its state."""
        layer = self._layers[k]
        T, B, _ = inputs.shape
        outputs = np.empty((T, B, self.config.hidden), np.float32)
        projected = affine(inputs, layer.weight_ih, layer.bias)
        after = layer.run(projected, state, outputs)
        if self.config.norm:
            layer_norm(outputs, self._norms[k])
        return outputs, after


def copy_scores(
    logits: Floats, gate: Floats, weights: Floats, copies: Tokens
) -> Floats:
    """Return ln p (B, T, V) for a decoder that can copy.

    logits: (B, T, V). gate: g_t, (B, T, 1). weights: a_{t,s}, (B, T, S). copies: w_s,
    (B, S), or 0 for a token that cannot be copied.
    """
    B, T, V = logits.shape
    can_copy = (copies > 0)[:, None]
    copied = weights * can_copy * (1 - gate)
    # a sum of positive terms stays exact where 1 - (1 - g) m would lose precision
    written = (weights * np.where(can_copy, gate, 1)).sum(axis=-1, keepdims=True)
    rows = np.arange(B * T).reshape(B, T, 1) * V
    places = (rows + copies[:, None]).ravel()
    mass = np.bincount(places, copied.ravel(), minlength=B * T * V)
    least = np.float32(LEAST_PROBABILITY)
    mass = np.maximum(mass.reshape(B, T, V).astype(np.float32), least)
    written = np.log(np.maximum(written, least)) + log_softmax(logits)
    return np.asarray(np.logaddexp(written, np.log(mass)))
