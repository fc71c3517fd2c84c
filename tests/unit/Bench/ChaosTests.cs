using Entrepot.Bench.Cluster;
using Entrepot.Bench.Cluster.Chaos;
using Entrepot.Bench.Running;
using Entrepot.TestSupport.Product;
using Xunit;

namespace Entrepot.UnitTests.Bench;

public sealed class ChaosTests
{
    private static readonly ChaosCase Kill = ChaosCase.All.Single(one => one.Name == "kill-50"), Term = ChaosCase.All.Single(one => one.Name == "term");

    private static readonly OwnerLoss Good = new()
    {
        Owner = "fetcher-1", LostAt = 0.52, TakenOver = true, Errors = [], WrongDigests = 0, LongestPause = TimeSpan.FromSeconds(5), LongestPauseOfAll = TimeSpan.FromSeconds(6), UpstreamBytes = 2.05, DoneAfter = TimeSpan.FromSeconds(12),
    };

    [Fact]
    public void A_limit_itself_still_holds() => Assert.True(new ChaosResult(Kill, [Good], []).Holds);

    [Fact]
    public void One_run_that_misses_a_bound_spoils_its_case()
    {
        Assert.All(
            new[]
            {
                Good with { LongestPause = TimeSpan.FromSeconds(5.01) }, Good with { UpstreamBytes = 2.06 }, Good with { Errors = ["503"] }, Good with { WrongDigests = 1 },
                Good with { TakenOver = false },
            },
            bad => Assert.False(new ChaosResult(Kill, [Good, bad, Good], []).Holds));
    }

    [Fact]
    public void A_fetcher_that_is_told_to_stop_may_end_what_it_has() =>
        Assert.True(new ChaosResult(Term, [Good with { TakenOver = false, LongestPause = TimeSpan.FromSeconds(1) }], []).Holds);

    [Fact]
    public void A_run_that_came_to_nothing_spoils_its_case_and_so_does_none_at_all()
    {
        Assert.False(new ChaosResult(Kill, [Good], ["run 2: no answer"]).Holds);
        Assert.False(new ChaosResult(Kill, [], []).Holds);
    }

    [Fact]
    public void The_table_tells_the_median_and_the_worst_of_the_runs_and_what_went_wrong()
    {
        var result = new ChaosResult(Kill, [Good, Good with { LongestPause = TimeSpan.FromSeconds(2), LostAt = 0.5, Errors = ["503, 0 bytes"] }], ["run 3: no owner"]);
        var lines = ChaosTable.Of(ChaosLine.Parse([]), [result]).Split('\n');
        var row = lines.Single(line => line.StartsWith("| kill-50 ", StringComparison.Ordinal)).Split('|').Select(cell => cell.Trim());
        Assert.Equal(["", "kill-50", "kill -9 at 50 %", "3", "50 %..52 %", "2", "1", "0", "3.5", "5.0", "≤ 5", "2.05×", "≤ 2.05×", "12.0", "NO", ""], row);
        Assert.Contains("0 of 1 cases hold.", lines);
        Assert.Contains("kill-50: run 3: no owner", lines);
        Assert.Contains("kill-50: 503, 0 bytes", lines);
    }

    [Fact]
    public void Only_a_run_of_everything_is_shown_to_others()
    {
        Assert.True(ChaosLine.Parse([]).IsWhole);
        Assert.True(MeasureLine.Parse([]).IsWhole);
        Assert.False(ChaosLine.Parse(["--mebibytes", "64"]).IsWhole);
        Assert.False(MeasureLine.Parse(["--only", "warm"]).IsWhole);
        Assert.Equal("bench/chaos.sh --runs 1 --only kill-5,term --mebibytes 64", ChaosLine.Parse(["--only", "term,kill-5", "--mebibytes", "64", "--runs", "1", "--results", "/somewhere/private"]).Command);
        Assert.Equal("bench/cluster.sh --only warm,scale --images 40", MeasureLine.Parse(["--images", "40", "--only", "scale,warm"]).Command);
    }

    [Theory]
    [InlineData("--runs", "0")]
    [InlineData("--runs")]
    [InlineData("--only", "nothing")]
    [InlineData("--only", "")]
    [InlineData("--fast", "1")]
    public void What_makes_no_sense_is_refused(params string[] words)
    {
        Assert.Throws<BenchException>(() => ChaosLine.Parse(words));
        Assert.Throws<BenchException>(() => MeasureLine.Parse(words));
    }

    [Fact]
    public void Every_measurement_has_something_that_must_hold() =>
        Assert.All(MeasureLine.Parse([]).Measurements, measurement => Assert.Contains(measurement.Bounds, bound => bound.Limit is not null));
}
