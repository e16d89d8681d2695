"""What vLLM loads in each of its processes where modomodo is installed: the group "vllm.general_plugins"."""


def register() -> None:
    """Make vLLM take our LLaVA, which is imported where one is loaded."""
    from vllm import ModelRegistry  # pyright: ignore[reportMissingImports]

    ModelRegistry.register_model("LlavaForConditionalGeneration", "modomodo.models.vllm_llava:Llava")
