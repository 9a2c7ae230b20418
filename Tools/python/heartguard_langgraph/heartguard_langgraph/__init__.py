"""LangGraph's checkpointer, kept by HeartGuard."""

from heartguard_langgraph.saver import HeartGuardSaver

__all__ = ["HeartGuardSaver"]
