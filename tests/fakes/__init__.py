"""One stand-in for each thing that our code is given, for the tests of every folder."""

from tests.fakes.clock import FakeClock as FakeClock
from tests.fakes.monitor import FakeMonitor as FakeMonitor
from tests.fakes.operations import FakeOperations as FakeOperations
from tests.fakes.store import MemoryStore as MemoryStore
