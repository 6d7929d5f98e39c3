"""What the layers and losses of the library are called on a page, in English and in Korean.

A row that is not listed is called by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_TITLES = {
    "dense": ("Dense layer", "완전연결층"),
    "dense_shared_bias": ("Dense layer", "완전연결층"),
    "dense_without_bias": ("Dense layer", "완전연결층"),
    "bilinear": ("Bilinear form", "쌍선형 층"),
    "embedding": ("Embedding", "임베딩"),
    "scale_shift": ("Scale and shift", "배율과 이동"),
    "add": ("Sum", "합"),
    "multiply": ("Product", "곱"),
    "concatenate": ("Concatenation", "이어 붙이기"),
    "flatten": ("Flattening", "평탄화"),
    "flatten3": ("Flattening", "평탄화"),
    "reshape": ("Reshaping", "모양 바꾸기"),
    "transpose": ("Transposition", "전치"),
    "dropout": ("Dropout", "드롭아웃"),
    "mean_over": ("Mean", "평균"),
    "sum_over": ("Sum", "합"),
    "conv1d": ("Convolution", "합성곱"),
    "conv2d": ("Convolution", "합성곱"),
    "conv3d": ("Convolution", "합성곱"),
    "grouped_conv2d": ("Convolution in groups", "그룹 합성곱"),
    "depthwise_conv2d": ("Depthwise convolution", "깊이별 합성곱"),
    "conv_transpose1d": ("Transposed convolution", "전치 합성곱"),
    "conv_transpose2d": ("Transposed convolution", "전치 합성곱"),
    "max_pool1d": ("Max pooling", "최댓값 풀링"),
    "max_pool2d": ("Max pooling", "최댓값 풀링"),
    "avg_pool1d": ("Average pooling", "평균 풀링"),
    "avg_pool2d": ("Average pooling", "평균 풀링"),
    "global_avg_pool2d": ("Global average pooling", "전역 평균 풀링"),
    "global_max_pool2d": ("Global max pooling", "전역 최댓값 풀링"),
    "batch_norm": ("Batch normalisation", "배치 정규화"),
    "batch_norm2d": ("Batch normalisation", "배치 정규화"),
    "batch_norm_inference": ("Batch normalisation with given statistics", "추론 때의 배치 정규화"),
    "layer_norm": ("Layer normalisation", "층 정규화"),
    "rms_norm": ("RMS normalisation", "RMS 정규화"),
    "group_norm": ("Group normalisation", "그룹 정규화"),
    "instance_norm": ("Instance normalisation", "인스턴스 정규화"),
    "rnn": ("Recurrent network", "순환 신경망"),
    "gru": ("GRU", "GRU"),
    "gru_take": ("GRU", "GRU"),
    "gru_reset_after": ("GRU", "GRU"),
    "lstm": ("LSTM", "LSTM"),
    "lstm_peephole": ("LSTM with peepholes", "핍홀 LSTM"),
    "bidirectional_rnn": ("Bidirectional recurrent network", "양방향 순환 신경망"),
    "attention": ("Attention", "어텐션"),
    "causal_attention": ("Causal attention", "인과 어텐션"),
    "multi_head_attention": ("Multi-head attention", "멀티헤드 어텐션"),
    "causal_multi_head_attention": ("Causal multi-head attention", "인과 멀티헤드 어텐션"),
    "additive_attention": ("Additive attention", "덧셈 어텐션"),
    "transformer_encoder_block": ("Transformer block", "트랜스포머 블록"),
    "transformer_encoder_block_prenorm": ("Transformer block", "트랜스포머 블록"),
    "identity": ("Identity", "항등 함수"),
    "logistic": ("Logistic function", "로지스틱 함수"),
    "tanh": ("Hyperbolic tangent", "쌍곡탄젠트"),
    "relu": ("ReLU", "ReLU"),
    "softmax": ("Softmax", "소프트맥스"),
    "leaky_relu": ("Leaky ReLU", "Leaky ReLU"),
    "elu": ("ELU", "ELU"),
    "selu": ("SELU", "SELU"),
    "silu": ("SiLU", "SiLU"),
    "gelu": ("GELU", "GELU"),
    "gelu_tanh": ("GELU in its tanh form", "tanh로 근사한 GELU"),
    "glu": ("GLU", "GLU"),
    "swiglu": ("SwiGLU", "SwiGLU"),
    "mean_squared_error": ("Squared error", "제곱 오차"),
    "half_squared_error": ("Squared error", "제곱 오차"),
    "binary_cross_entropy": ("Binary cross-entropy", "이진 교차 엔트로피"),
    "binary_cross_entropy_logits": ("Binary cross-entropy", "이진 교차 엔트로피"),
    "categorical_cross_entropy": ("Cross-entropy", "교차 엔트로피"),
    "categorical_cross_entropy_logits": ("Cross-entropy", "교차 엔트로피"),
    "label_cross_entropy": ("Cross-entropy", "교차 엔트로피"),
    "label_cross_entropy_logits": ("Cross-entropy", "교차 엔트로피"),
    "label_smoothing_cross_entropy": ("Cross-entropy", "교차 엔트로피"),
    "kl_divergence": ("Kullback-Leibler divergence", "쿨백-라이블러 발산"),
    "mean_absolute_error": ("Absolute error", "절대 오차"),
    "huber": ("Huber loss", "후버 손실"),
    "log_cosh": ("Log-cosh loss", "log-cosh 손실"),
    "hinge": ("Hinge loss", "힌지 손실"),
    "squared_hinge": ("Squared hinge loss", "제곱 힌지 손실"),
    "triplet": ("Triplet loss", "트리플릿 손실"),
    "info_nce": ("InfoNCE", "InfoNCE"),
    "cosine": ("Cosine loss", "코사인 손실"),
    "l1_penalty": ("L1 penalty", "L1 벌점"),
    "l2_penalty": ("L2 penalty", "L2 벌점"),
}
TITLES: Mapping[str, tuple[str, str]] = MappingProxyType(_TITLES)


def title(row: str) -> dict[str, str]:
    """The title of a row by language."""
    words = row.replace("_", " ")
    english, korean = TITLES.get(row, (words[:1].upper() + words[1:], words))
    return {"en": english, "ko": korean}
