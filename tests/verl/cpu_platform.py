"""A platform of verl's for machines without an accelerator, by its own hook: VERL_USE_EXTERNAL_MODULES, VERL_PLATFORM.

Ray takes each of the "GPUs" that `ray start --num-gpus` makes up for one, and gloo joins them.
"""

import types
from contextlib import nullcontext

import torch
import torch.distributed
import torch.distributed.fsdp._init_utils as fsdp_checks
from verl.plugin.platform import PlatformBase, PlatformRegistry

NOTHING = ("empty_cache", "ipc_collect", "set_device", "manual_seed", "manual_seed_all", "reset_peak_memory_stats")
ZERO = ("memory_allocated", "memory_reserved", "max_memory_allocated", "max_memory_reserved")


def _device_module() -> types.ModuleType:
    """Return torch.cpu with what verl asks of torch.cuda."""
    module = types.ModuleType("torch_cpu_as_accelerator")
    module.__dict__.update({name: value for name, value in vars(torch.cpu).items() if not name.startswith("__")})
    module.__dict__.update(dict.fromkeys(NOTHING, lambda *_, **__: None))
    module.__dict__.update(dict.fromkeys(ZERO, lambda *_, **__: 0))
    module.mem_get_info = lambda *_: (2**30, 2**30)
    module.get_device_name = lambda *_: "cpu"
    module.get_rng_state = lambda *_: torch.get_rng_state()
    module.set_rng_state = lambda state, *_: torch.set_rng_state(state)
    return module


class _Device(str):
    """ "cpu" as a device, "0" as the number of one, which verl puts after its name in texts."""

    def __format__(self, spec: str) -> str:
        return "0"


@PlatformRegistry.register(platform="cpu")
class PlatformCPU(PlatformBase):
    device_name = vendor_name = "cpu"
    device_module = _device_module()

    def is_available(self):
        return True

    def current_device(self):
        return _Device("cpu")

    def device_count(self):
        return 1

    def set_device(self, device_index):
        pass

    def synchronize(self, device_index=None):
        pass

    def manual_seed(self, seed):
        torch.manual_seed(seed)

    manual_seed_all = manual_seed

    def set_allocator_settings(self, settings):
        pass

    def empty_cache(self):
        pass

    def get_device_capability(self, device_index=0):
        return None, None

    def communication_backend_name(self):
        return "gloo"

    def visible_devices_envvar(self):
        return "CUDA_VISIBLE_DEVICES"

    def nvtx_range(self, msg):
        return nullcontext()

    def profiler_start(self):
        pass

    def profiler_stop(self):
        pass

    def ray_resource_name(self):
        return "GPU"

    def ray_noset_envvars(self):
        return ["RAY_EXPERIMENTAL_NOSET_CUDA_VISIBLE_DEVICES"]

    def is_ipc_supported(self):
        return False

    def cudart(self):
        return None


_init_process_group = torch.distributed.init_process_group


def _with_one_backend(backend=None, **options):
    """verl names gloo for the CPU and again for the accelerator, which torch refuses where both are the CPU."""
    return _init_process_group(backend=backend and ",".join(dict.fromkeys(backend.split(","))), **options)


torch.distributed.init_process_group = _with_one_backend
# FSDP refuses to broadcast weights that lie on the CPU, which NCCL could not; gloo can.
fsdp_checks._check_module_states_for_sync_module_states = lambda states: None
