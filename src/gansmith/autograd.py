"""Automatic differentiation of Python functions, with a dependency check.

`gradient(f)` is a function that returns (gradient, value); it traces the operations of `f`, so that `if`, `while` and
recursion need nothing special. An argument that the output does not depend on is an error that names it, and so is a
traced value that becomes a plain number (`math.sin(a)`), which would make the gradient wrong.

Source: torch-autograd (Twitter Cortex 2015), `autograd(f)` -> (gradient, value), and its check of independence.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from numbers import Real
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, Node, get_gradient_edge
from torch.overrides import TorchFunctionMode

from gansmith.errors import GansmithError, LostGraphError, NoDependencyError, nearest
from gansmith.system.trees import leaves, map_leaves

__all__ = ["gradient", "layer", "unused_inputs"]

_ALLOWED = "gradient() takes a number, a floating tensor (x.float(), torch.from_numpy), or dicts, lists, tuples of them"
_NEEDED = "gradient() needs one floating number; reduce a tensor with mean() or sum()"
_INSTEAD = (
    "the result would be plain, without a gradient. Use torch's functions on the value itself (torch.sin for math.sin "
    "and numpy.sin, torch.round for round, torch.stack for torch.tensor), or value.detach() where no gradient is wanted"
)
_LOSES = {  # what torch calls it -> what the user wrote
    "__float__": "float(), or a function of the math module,",
    "__int__": "int()",
    "__complex__": "complex(), or a function of the cmath module,",
    "__index__": "use as an index or a count (range, __index__)",
    "__array__": "numpy, which makes arrays of what it is given,",
    "__deepcopy__": "copy.deepcopy()",
    "data": ".data",
    "untyped_storage": "the tensor's storage, which pickle and copy.copy() read,",
    "storage": "the tensor's storage",
    **{name: f"torch.{name}() of a list" for name in ("as_tensor", "asarray")},
    **{name: f"{name}()" for name in ("item", "tolist", "numpy", "new_tensor")},
    **{name: f"torch.{name}()" for name in ("tensor", "linspace", "logspace")},
}
_active: ContextVar[tuple[_Trace, ...]] = ContextVar("traces", default=())


class _Trace(TorchFunctionMode):
    """The operations of one traced call, except under no_grad, where a custom function's forward runs."""

    def __init__(self) -> None:
        super().__init__()
        self.edges: dict[str, GradientEdge] = {}

    def __enter__(self) -> None:
        self.before = _active.set((*_active.get(), self))
        super().__enter__()  # type: ignore[no-untyped-call]

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        super().__exit__(kind, error, traceback)  # type: ignore[no-untyped-call]
        _active.reset(self.before)
        if kind is TypeError and "Tensor doesn't define __round__" in str(error):  # torch never asks a mode
            raise LostGraphError(f"round() was given a tensor: {_INSTEAD}") from error

    def reached(self, tensor: Tensor) -> list[str]:
        """The names of the traced parts that `tensor` was computed from."""
        if tensor.grad_fn is None:
            return [name for name, edge in self.edges.items() if getattr(edge.node, "variable", None) is tensor]
        waiting: list[Node] = [tensor.grad_fn]
        seen = set(waiting)
        while waiting:
            following = {node for node, _ in waiting.pop().next_functions if node is not None} - seen
            seen |= following
            waiting += following
        return [name for name, edge in self.edges.items() if edge.node in seen]

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = "data" if getattr(func, "__self__", None) is Tensor.data else getattr(func, "__name__", "")
        if torch.is_grad_enabled() and name in _LOSES:
            for tensor in _leaves((*args, *(kwargs or {}).values()), Tensor):
                kept = name in ("as_tensor", "asarray") and args and tensor is args[0]
                if not kept and (parts := self.reached(tensor)):
                    raise LostGraphError(f"{_LOSES[name]} was given a value that depends on {_list(parts)}: {_INSTEAD}")
        return func(*args, **(kwargs or {}))


class _Gradient:
    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.label = getattr(function, "__name__", type(function).__name__).replace("<lambda>", "the function")
        first = next(iter(_parameters_of(function)), None)
        self.name = "the first argument" if first is None else first.name + "[0]" * (first.kind is first.VAR_POSITIONAL)
        functools.update_wrapper(self, function, updated=())

    def __call__(self, /, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        if not args and self.name not in kwargs:
            raise GansmithError(f"{self.label} was called without {self.name}, by which the gradient is taken")
        argument = args[0] if args else kwargs[self.name]
        outer = _active.get()
        numbers: set[str] = set()
        trace = _Trace()

        def enter(leaf: Any, path: str) -> Tensor:
            if isinstance(leaf, Tensor) and leaf.is_floating_point():
                inner = any(other.reached(leaf) for other in outer)
                tensor = leaf.clone() if inner else leaf.detach().requires_grad_()
            elif isinstance(leaf, Real) and not isinstance(leaf, bool):
                tensor = torch.tensor(float(leaf), dtype=torch.float64, requires_grad=True)
                numbers.add(path)
            else:
                raise GansmithError(f"{path} is {_kind(leaf)}: {_ALLOWED}")
            trace.edges[path] = get_gradient_edge(tensor)
            return tensor.clone() if path in numbers else tensor  # a copy, so that `a += 1` may change it

        def leave(result: Any, as_number: bool) -> Any:
            if any(other.reached(result) for other in outer):
                return result
            return float(result.detach()) if as_number else result.detach().clone()

        with torch.inference_mode(False), torch.enable_grad():
            traced = map_leaves(enter, argument, self.name)
            if not trace.edges:
                raise GansmithError(f"{self.name} is empty: {_ALLOWED}")
            with trace:
                call = functools.partial(self.function, traced) if args else self.function
                output = call(*args[1:], **(kwargs if args else {**kwargs, self.name: traced}))
            value = self._scalar(output, list(trace.edges))
            gradients = _gradients(value, trace.edges, create_graph=bool(outer))
        if missing := [path for path, result in gradients.items() if result is None]:
            raise NoDependencyError(f"the output does not depend on {_list(missing)}")
        only_numbers = numbers == trace.edges.keys() and not _leaves((args[1:], kwargs), (Tensor, nn.Module))
        by_argument = map_leaves(lambda _, path: leave(gradients[path], path in numbers), argument, self.name)
        return by_argument, leave(value, only_numbers)

    def _scalar(self, output: Any, paths: list[str]) -> Tensor:
        if isinstance(self.function, _Gradient):  # the derivative of a derivative: its value is not asked for
            output = output[0]
        if isinstance(output, Real) and not isinstance(output, bool):
            raise NoDependencyError(f"the output does not depend on {_list(paths)}: it is the plain number {output}")
        if not (isinstance(output, Tensor) and output.is_floating_point() and output.numel() == 1):
            raise GansmithError(f"{self.label} returned {_kind(output)}: {_NEEDED}")
        return output


def gradient(function: Callable[..., Any]) -> Callable[..., tuple[Any, Any]]:
    """Function of the same arguments that returns (gradient, value) of `function`, which must return one number.

    The gradient is by the first argument: a number (traced as a float64 scalar), a floating tensor, or dicts, lists
    and tuples of them, and has its structure, shapes and dtypes; numbers give Python floats. The value is a Python
    float when no tensor went in, else a detached tensor. Inside another traced call both stay traced where they
    depend on it, and `gradient(gradient(f))` is the second derivative. The arguments and every `.grad` stay as they
    are.

    >>> gradient(lambda a: a**3)(2.0)
    (12.0, 8.0)

    Raises NoDependencyError naming the parts that the output does not depend on; LostGraphError where a traced
    value would become a plain number; GansmithError for what cannot be differentiated.
    """
    if not callable(function):
        raise GansmithError(f"gradient() takes a function, not {_kind(function)}")
    return _Gradient(function)


def unused_inputs(output: Tensor, inputs: Mapping[str, Tensor]) -> list[str]:
    """Names of the `inputs` on which `output` (any shape) does not depend; a gradient of zero is a dependency.

    An input that requires no gradient counts as unused. Writes no `.grad` and keeps the graph of `output`.

    >>> x, y = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    >>> unused_inputs((x * 0).sum(), {"x": x, "y": y})
    ['y']
    """
    edges = {name: get_gradient_edge(tensor) for name, tensor in inputs.items() if tensor.requires_grad}
    gradients = _gradients(output, edges, retain_graph=True)
    return [name for name in inputs if gradients.get(name) is None]


def _gradients(output: Tensor, edges: Mapping[str, GradientEdge], **options: bool) -> dict[str, Tensor | None]:
    if not (output.requires_grad and edges):
        return dict.fromkeys(edges)
    slopes = torch.autograd.grad(output, [*edges.values()], torch.ones_like(output), allow_unused=True, **options)
    return dict(zip(edges, slopes, strict=True))


class _Layer(nn.Module):
    def __init__(self, function: Callable[..., Any], parameters: Mapping[str, Any]) -> None:
        super().__init__()
        self._function, self._names = function, tuple(parameters)
        taken = {parameter.name: parameter.kind.name for parameter in _parameters_of(function)}
        for name, value in parameters.items():
            if taken and name not in taken and "VAR_KEYWORD" not in taken.values():
                known = f"{nearest(name, taken)}It takes: {_list(list(taken))}"
                raise GansmithError(f"the layer's function takes no {name!r}. {known}")
            if not name.isidentifier() or hasattr(self, name):
                raise GansmithError(f"a layer's parameter cannot be called {name!r}: take another name")
            if not (isinstance(value, Tensor) and value.is_floating_point()):
                raise GansmithError(f"{name} is {_kind(value)}: a layer takes floating tensors")
            own = value if isinstance(value, nn.Parameter) else nn.Parameter(value.detach().clone())
            self.register_parameter(name, own)

    def forward(self, *inputs: Any) -> Any:
        return self._function(*inputs, **{name: getattr(self, name) for name in self._names})


def layer(function: Callable[..., Any], /, **parameters: Tensor) -> nn.Module:
    """Layer whose forward is `function(*inputs, **parameters)`, and whose tensors are trained.

    Tensors are copied; an `nn.Parameter` is registered as it is, so that two layers can share one. Raises
    GansmithError for a name that nn.Module uses or `function` does not take, and for what is no floating tensor.

    >>> scale = layer(lambda x, slope: x * slope, slope=torch.tensor([3.0]))
    >>> scale(torch.tensor([2.0])).tolist(), list(scale.state_dict())
    ([6.0], ['slope'])
    """
    return _Layer(function, parameters)


def _parameters_of(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """Those of its signature; none for a function written in C that has no signature."""
    try:
        described = function.forward if isinstance(function, nn.Module) else function
        return list(inspect.signature(described).parameters.values())
    except ValueError:
        return []


def _leaves(tree: Any, kinds: Any) -> list[Any]:
    return [leaf for leaf, _ in leaves(tree) if isinstance(leaf, kinds)]


def _kind(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"a tensor of {str(value.dtype).removeprefix('torch.')}, shape {list(value.shape)}"
    return "None" if value is None else f"a value of type {type(value).__name__}"


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
