"""What the layers and losses of the library are called on a page, in English, Korean and German.

Each other language has a file of its own.

A row that is not listed is called by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from derive.library.titles_es import SPANISH
from derive.library.titles_fr import FRENCH
from derive.library.titles_ja import JAPANESE
from derive.library.titles_zh import CHINESE

_TITLES = {
    "noised": ("Noise mixed in", "잡음 섞기", "Beigemischtes Rauschen"),
    "same_conv1d": ("Convolution", "합성곱", "Faltung"),
    "same_conv2d": ("Convolution", "합성곱", "Faltung"),
    "same_max_pool1d": ("Max pooling", "최댓값 풀링", "Max-Pooling"),
    "same_max_pool2d": ("Max pooling", "최댓값 풀링", "Max-Pooling"),
    "same_avg_pool1d": ("Average pooling", "평균 풀링", "Mittelwert-Pooling"),
    "same_avg_pool2d": ("Average pooling", "평균 풀링", "Mittelwert-Pooling"),
    "adaptive_avg_pool1d": (
        "Adaptive average pooling",
        "적응 평균 풀링",
        "Adaptives Mittelwert-Pooling",
    ),
    "adaptive_avg_pool2d": (
        "Adaptive average pooling",
        "적응 평균 풀링",
        "Adaptives Mittelwert-Pooling",
    ),
    "reflect_pad1d": ("Reflection padding", "반사 패딩", "Gespiegelter Rand"),
    "reflect_pad2d": ("Reflection padding", "반사 패딩", "Gespiegelter Rand"),
    "circular_pad1d": ("Circular padding", "순환 패딩", "Zyklischer Rand"),
    "upsample_nearest1d": ("Upsampling", "업샘플링", "Vergrößerung"),
    "upsample_nearest2d": ("Upsampling", "업샘플링", "Vergrößerung"),
    "pixel_shuffle": ("Pixel shuffle", "픽셀 셔플", "Pixel-Shuffle"),
    "pixel_unshuffle": ("Pixel unshuffle", "픽셀 언셔플", "Umgekehrter Pixel-Shuffle"),
    "sliding_window_attention": (
        "Sliding-window attention",
        "슬라이딩 윈도 어텐션",
        "Attention mit gleitendem Fenster",
    ),
    "grouped_query_attention": (
        "Grouped-query attention",
        "그룹 쿼리 어텐션",
        "Attention mit gruppierten Anfragen",
    ),
    "hopfield_update": ("Hopfield update", "홉필드 갱신", "Hopfield-Schritt"),
    "mixture_of_experts": ("Mixture of experts", "전문가 혼합", "Expertenmischung"),
    "noise_prediction": ("Noise prediction", "잡음 예측", "Vorhersage des Rauschens"),
    "dense": ("Dense layer", "완전연결층", "Vollverbundene Schicht"),
    "dense_shared_bias": ("Dense layer", "완전연결층", "Vollverbundene Schicht"),
    "dense_without_bias": ("Dense layer", "완전연결층", "Vollverbundene Schicht"),
    "bilinear": ("Bilinear form", "쌍선형 층", "Bilinearform"),
    "lora": ("Low-rank adaptation", "저계수 적응(LoRA)", "Anpassung von niedrigem Rang (LoRA)"),
    "graph_conv": ("Graph convolution", "그래프 합성곱", "Graphfaltung"),
    "rbf": ("Radial basis functions", "방사 기저 함수", "Radiale Basisfunktionen"),
    "embedding": ("Embedding", "임베딩", "Einbettung"),
    "scale_shift": ("Scale and shift", "배율과 이동", "Skalierung und Verschiebung"),
    "add": ("Sum", "합", "Summe"),
    "multiply": ("Product", "곱", "Produkt"),
    "concatenate": ("Concatenation", "이어 붙이기", "Aneinanderreihung"),
    "flatten": ("Flattening", "평탄화", "Auffalten zum Vektor"),
    "flatten3": ("Flattening", "평탄화", "Auffalten zum Vektor"),
    "reshape": ("Reshaping", "모양 바꾸기", "Umformung"),
    "transpose": ("Transposition", "전치", "Transposition"),
    "dropout": ("Dropout", "드롭아웃", "Dropout"),
    "mean_over": ("Mean", "평균", "Mittelwert"),
    "sum_over": ("Sum", "합", "Summe"),
    "matmul": ("Matrix product", "행렬 곱", "Matrixprodukt"),
    "trace": ("Trace", "대각합", "Spur"),
    "det": ("Determinant", "행렬식", "Determinante"),
    "logdet": ("Log-determinant", "로그 행렬식", "Logarithmus der Determinante"),
    "solve": ("Linear system", "연립일차방정식", "Lineares Gleichungssystem"),
    "solve_many": ("Linear systems", "연립일차방정식", "Lineare Gleichungssysteme"),
    "inv": ("Inverse", "역행렬", "Inverse"),
    "cholesky": ("Cholesky factor", "촐레스키 분해", "Cholesky-Zerlegung"),
    "conv1d": ("Convolution", "합성곱", "Faltung"),
    "conv2d": ("Convolution", "합성곱", "Faltung"),
    "conv3d": ("Convolution", "합성곱", "Faltung"),
    "grouped_conv2d": ("Convolution in groups", "그룹 합성곱", "Faltung in Gruppen"),
    "depthwise_conv2d": ("Depthwise convolution", "깊이별 합성곱", "Kanalweise Faltung"),
    "causal_depthwise_conv1d": (
        "Causal depthwise convolution",
        "인과 깊이별 합성곱",
        "Kausale kanalweise Faltung",
    ),
    "conv_transpose1d": ("Transposed convolution", "전치 합성곱", "Transponierte Faltung"),
    "conv_transpose2d": ("Transposed convolution", "전치 합성곱", "Transponierte Faltung"),
    "max_pool1d": ("Max pooling", "최댓값 풀링", "Max-Pooling"),
    "max_pool2d": ("Max pooling", "최댓값 풀링", "Max-Pooling"),
    "avg_pool1d": ("Average pooling", "평균 풀링", "Mittelwert-Pooling"),
    "avg_pool2d": ("Average pooling", "평균 풀링", "Mittelwert-Pooling"),
    "global_avg_pool2d": (
        "Global average pooling",
        "전역 평균 풀링",
        "Globales Mittelwert-Pooling",
    ),
    "global_max_pool2d": ("Global max pooling", "전역 최댓값 풀링", "Globales Max-Pooling"),
    "batch_norm": ("Batch normalisation", "배치 정규화", "Batch-Normierung"),
    "batch_norm2d": ("Batch normalisation", "배치 정규화", "Batch-Normierung"),
    "batch_norm_inference": (
        "Batch normalisation with given statistics",
        "추론 때의 배치 정규화",
        "Batch-Normierung mit gegebener Statistik",
    ),
    "layer_norm": ("Layer normalisation", "층 정규화", "Schichtnormierung"),
    "rms_norm": ("RMS normalisation", "RMS 정규화", "RMS-Normierung"),
    "group_norm": ("Group normalisation", "그룹 정규화", "Gruppennormierung"),
    "instance_norm": ("Instance normalisation", "인스턴스 정규화", "Instanznormierung"),
    "rnn": ("Recurrent network", "순환 신경망", "Rekurrentes Netz"),
    "gru": ("GRU", "GRU", "GRU"),
    "gru_take": ("GRU", "GRU", "GRU"),
    "gru_reset_after": ("GRU", "GRU", "GRU"),
    "lstm": ("LSTM", "LSTM", "LSTM"),
    "lstm_peephole": ("LSTM with peepholes", "핍홀 LSTM", "LSTM mit Gucklöchern"),
    "bidirectional_rnn": (
        "Bidirectional recurrent network",
        "양방향 순환 신경망",
        "Bidirektionales rekurrentes Netz",
    ),
    "attention": ("Attention", "어텐션", "Aufmerksamkeit"),
    "causal_attention": ("Causal attention", "인과 어텐션", "Kausale Aufmerksamkeit"),
    "multi_head_attention": (
        "Multi-head attention",
        "멀티헤드 어텐션",
        "Aufmerksamkeit mit mehreren Köpfen",
    ),
    "causal_multi_head_attention": (
        "Causal multi-head attention",
        "인과 멀티헤드 어텐션",
        "Kausale Aufmerksamkeit mit mehreren Köpfen",
    ),
    "additive_attention": ("Additive attention", "덧셈 어텐션", "Additive Aufmerksamkeit"),
    "transformer_encoder_block": ("Transformer block", "트랜스포머 블록", "Transformer-Block"),
    "transformer_encoder_block_prenorm": (
        "Transformer block",
        "트랜스포머 블록",
        "Transformer-Block",
    ),
    "alibi_attention": ("Attention with ALiBi", "ALiBi 어텐션", "Aufmerksamkeit mit ALiBi"),
    "capsules": ("Capsule routing", "캡슐 라우팅", "Routing von Kapseln"),
    "rope": ("Rotary positions", "회전 위치 임베딩", "Rotierende Positionen"),
    "sinusoidal_positions": (
        "Sinusoidal positions",
        "사인파 위치 인코딩",
        "Sinusförmige Positionen",
    ),
    "identity": ("Identity", "항등 함수", "Identität"),
    "logistic": ("Logistic function", "로지스틱 함수", "Logistische Funktion"),
    "tanh": ("Hyperbolic tangent", "쌍곡탄젠트", "Tangens hyperbolicus"),
    "relu": ("ReLU", "ReLU", "ReLU"),
    "softmax": ("Softmax", "소프트맥스", "Softmax"),
    "leaky_relu": ("Leaky ReLU", "Leaky ReLU", "Leaky ReLU"),
    "elu": ("ELU", "ELU", "ELU"),
    "selu": ("SELU", "SELU", "SELU"),
    "silu": ("SiLU", "SiLU", "SiLU"),
    "gelu": ("GELU", "GELU", "GELU"),
    "gelu_tanh": ("GELU in its tanh form", "tanh로 근사한 GELU", "GELU in der tanh-Form"),
    "glu": ("GLU", "GLU", "GLU"),
    "softplus": ("Softplus", "소프트플러스", "Softplus"),
    "softsign": ("Softsign", "소프트사인", "Softsign"),
    "hard_sigmoid": ("Hard sigmoid", "하드 시그모이드", "Harte Sigmoidfunktion"),
    "hard_tanh": ("Hard tanh", "하드 tanh", "Harter Tangens hyperbolicus"),
    "mish": ("Mish", "Mish", "Mish"),
    "log_softmax": ("Log-softmax", "로그 소프트맥스", "Log-Softmax"),
    "maxout": ("Maxout", "맥스아웃", "Maxout"),
    "negative_log_likelihood": (
        "Negative log-likelihood",
        "음의 로그 가능도",
        "Negative Log-Likelihood",
    ),
    "swiglu": ("SwiGLU", "SwiGLU", "SwiGLU"),
    "mean_squared_error": ("Squared error", "제곱 오차", "Quadratischer Fehler"),
    "half_squared_error": ("Squared error", "제곱 오차", "Quadratischer Fehler"),
    "binary_cross_entropy": ("Binary cross-entropy", "이진 교차 엔트로피", "Binäre Kreuzentropie"),
    "binary_cross_entropy_logits": (
        "Binary cross-entropy",
        "이진 교차 엔트로피",
        "Binäre Kreuzentropie",
    ),
    "categorical_cross_entropy": ("Cross-entropy", "교차 엔트로피", "Kreuzentropie"),
    "categorical_cross_entropy_logits": ("Cross-entropy", "교차 엔트로피", "Kreuzentropie"),
    "label_cross_entropy": ("Cross-entropy", "교차 엔트로피", "Kreuzentropie"),
    "label_cross_entropy_logits": ("Cross-entropy", "교차 엔트로피", "Kreuzentropie"),
    "label_smoothing_cross_entropy": ("Cross-entropy", "교차 엔트로피", "Kreuzentropie"),
    "kl_divergence": (
        "Kullback-Leibler divergence",
        "쿨백-라이블러 발산",
        "Kullback-Leibler-Divergenz",
    ),
    "mean_absolute_error": ("Absolute error", "절대 오차", "Absoluter Fehler"),
    "huber": ("Huber loss", "후버 손실", "Huber-Verlust"),
    "log_cosh": ("Log-cosh loss", "log-cosh 손실", "Log-cosh-Verlust"),
    "hinge": ("Hinge loss", "힌지 손실", "Hinge-Verlust"),
    "squared_hinge": ("Squared hinge loss", "제곱 힌지 손실", "Quadratischer Hinge-Verlust"),
    "triplet": ("Triplet loss", "트리플릿 손실", "Triplet-Verlust"),
    "info_nce": ("InfoNCE", "InfoNCE", "InfoNCE"),
    "cosine": ("Cosine loss", "코사인 손실", "Kosinus-Verlust"),
    "quantile": ("Quantile loss", "분위수 손실", "Quantil-Verlust"),
    "poisson": ("Poisson likelihood", "푸아송 가능도", "Poisson-Likelihood"),
    "negative_binomial": (
        "Negative binomial likelihood",
        "음이항 가능도",
        "Negativ-binomiale Likelihood",
    ),
    "gaussian": ("Gaussian likelihood", "가우스 가능도", "Gauß-Likelihood"),
    "gaussian_kl": (
        "Kullback-Leibler divergence",
        "쿨백-라이블러 발산",
        "Kullback-Leibler-Divergenz",
    ),
    "focal": ("Focal loss", "초점 손실", "Fokaler Verlust"),
    "dice": ("Dice loss", "다이스 손실", "Dice-Verlust"),
    "iou": ("Overlap loss", "교집합 비율 손실", "Überlappungsverlust"),
    "tversky": ("Tversky loss", "트버스키 손실", "Tversky-Verlust"),
    "ctc": (
        "Connectionist temporal classification",
        "연결성 시간 분류(CTC)",
        "Connectionist Temporal Classification (CTC)",
    ),
    "crf": ("Conditional random field", "조건부 확률장(CRF)", "Bedingtes Zufallsfeld (CRF)"),
    "soft_dtw": (
        "Soft dynamic time warping",
        "부드러운 동적 시간 워핑(soft-DTW)",
        "Weiches dynamisches Zeitverzerren (soft-DTW)",
    ),
    "mixture_density": ("Mixture density", "혼합 밀도", "Mischungsdichte"),
    "cox": ("Cox's partial likelihood", "콕스 부분 가능도", "Partielle Likelihood nach Cox"),
    "ppo_clip": (
        "Clipped policy objective",
        "잘린 정책 목적 함수(PPO)",
        "Beschnittenes Policy-Ziel (PPO)",
    ),
    "td_error": ("Temporal difference error", "시간차 오차", "Temporale Differenz"),
    "l1_penalty": ("L1 penalty", "L1 벌점", "L1-Strafterm"),
    "l2_penalty": ("L2 penalty", "L2 벌점", "L2-Strafterm"),
}
OTHERS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {"fr": FRENCH, "es": SPANISH, "ja": JAPANESE, "zh": CHINESE}
)
TITLES: Mapping[str, tuple[str, str, str]] = MappingProxyType(_TITLES)


def title(row: str) -> dict[str, str]:
    """The title of a row by language."""
    words = row.replace("_", " ")
    plain = words[:1].upper() + words[1:]
    own = dict(zip(("en", "ko", "de"), TITLES.get(row, (plain, words, plain)), strict=True))
    return own | {code: titles.get(row, own["en"]) for code, titles in OTHERS.items()}
