"""Attention: a weighted mean of values, whose weights come from scoring each pair of a query and a key."""

from ._additive import additive_attention as additive_attention
from ._additive import additive_attention_reference as additive_attention_reference
from ._additive import additive_scores as additive_scores
from ._dates import dates as dates
from ._dot_product import dot_product_attention as dot_product_attention
from ._training import accuracy as accuracy
from ._training import train_translator as train_translator
from ._translator import DateTranslator as DateTranslator
from ._translator import DecoderStep as DecoderStep
from ._translator import Translation as Translation
from ._translator import decoder_step as decoder_step
from ._weights import Attention as Attention
from ._weights import attention_weights as attention_weights
