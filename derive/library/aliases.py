"""What other programs and books call the rows of the library."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from derive.errors import nearest

LISTER = "derive layers"
OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    # layers
    "linear": ("dense",),
    "fc": ("dense",),
    "fully_connected": ("dense",),
    "conv": ("conv2d", "conv1d"),
    "convolution": ("conv2d", "conv1d"),
    "deconv": ("conv_transpose2d",),
    "conv2d_transpose": ("conv_transpose2d",),
    "depthwise_conv": ("depthwise_conv2d",),
    "maxpool": ("max_pool2d", "max_pool1d"),
    "max_pool": ("max_pool2d", "max_pool1d"),
    "max_pooling": ("max_pool2d", "max_pool1d"),
    "avgpool": ("avg_pool2d", "avg_pool1d"),
    "avg_pool": ("avg_pool2d", "avg_pool1d"),
    "average_pooling": ("avg_pool2d", "avg_pool1d"),
    "batchnorm": ("batch_norm",),
    "layernorm": ("layer_norm",),
    "rmsnorm": ("rms_norm",),
    "embed": ("embedding",),
    "concat": ("concatenate",),
    "cat": ("concatenate",),
    "residual": ("add",),
    "mul": ("multiply",),
    "self_attention": ("attention",),
    "mha": ("multi_head_attention",),
    "transformer": ("transformer_encoder_block",),
    "birnn": ("bidirectional_rnn",),
    "recurrent": ("rnn",),
    # activations
    "sigmoid": ("logistic",),
    "linear_activation": ("identity",),
    "none": ("identity",),
    "swish": ("silu",),
    "lrelu": ("leaky_relu",),
    "leakyrelu": ("leaky_relu",),
    # losses
    "mse": ("mean_squared_error", "half_squared_error"),
    "squared_error": ("half_squared_error", "mean_squared_error"),
    "l2": ("half_squared_error", "l2_penalty"),
    "mae": ("mean_absolute_error",),
    "l1": ("mean_absolute_error", "l1_penalty"),
    "smooth_l1": ("huber",),
    "bce": ("binary_cross_entropy", "binary_cross_entropy_logits"),
    "bce_with_logits": ("binary_cross_entropy_logits",),
    "ce": ("categorical_cross_entropy", "label_cross_entropy"),
    "cross_entropy": ("categorical_cross_entropy", "label_cross_entropy"),
    "crossentropy": ("categorical_cross_entropy", "label_cross_entropy"),
    "log_loss": ("binary_cross_entropy", "categorical_cross_entropy"),
    "softmax_cross_entropy": ("categorical_cross_entropy_logits", "label_cross_entropy_logits"),
    "sparse_categorical_cross_entropy": ("label_cross_entropy",),
    "nll": ("negative_log_likelihood",),
    "kl": ("kl_divergence",),
    "contrastive": ("info_nce",),
    "mdn": ("mixture_density",),
    "dqn": ("td_error",),
    "q_learning": ("td_error",),
    "ppo": ("ppo_clip",),
    "dtw": ("soft_dtw",),
    # optimizers
    "sgd": ("gradient_descent",),
    "gd": ("gradient_descent",),
    "nag": ("nesterov",),
    "sgd_momentum": ("momentum",),
}


def nearest_row(word: str, known: Iterable[str]) -> str:
    """A sentence that names the row of the library that was meant, or how to see them all."""
    return nearest(word, known, OTHER_NAMES, LISTER)
