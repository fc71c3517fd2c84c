using Entrepot.Bench.Measuring;
using Entrepot.TestSupport.Running;
using Xunit;

namespace Entrepot.UnitTests.Bench;

public sealed class ProcessTreeTests
{
    [Fact]
    public async Task The_CPU_time_of_a_process_that_has_ended_is_not_lost()
    {
        // The child works for some tenths of a second, and its parent waits for it.
        await using var shell = ChildProcess.Start("sh", ["-c", "sh -c 'i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done; :'; exec sleep 60"]);
        await Eventually.Async(() => File.ReadAllText($"/proc/{shell.Id}/comm").Trim() == "sleep", TimeSpan.FromSeconds(30), "the child to end");
        Assert.InRange(new ProcessTree(shell.Id).CpuMilliseconds, 50, 20_000);
    }
}
