"""Why a published number is wrong."""
