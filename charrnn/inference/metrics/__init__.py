"""Metrics of predictions, each with a bootstrap interval over examples.

figure.py         a figure for a test set, computed from sums over its examples
tables.py         tables of metrics
label_scores.py   precision, recall and F1 per label, and their mean (macro F1)
classify.py       ClassifyMetrics: accuracy, macro F1, confusions, calibration
spans.py          the entities in a sequence of BIO or BIOES tags
tag.py            TagMetrics: tag accuracy, overall and on unseen words, and entity F1
edit_distance.py  Levenshtein distances of many pairs at once
bleu.py           BLEU as sacrebleu computes it
chrf.py           chrF as sacrebleu computes it
translate.py      TranslateMetrics: exact match, symbol error rate, BLEU, chrF
"""
