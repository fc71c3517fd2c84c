using Entrepot.Bench.Results;
using Xunit;

namespace Entrepot.UnitTests.Bench;

public sealed class BoundTests
{
    private const string Scenario = "s";
    private readonly Samples _samples = new();

    [Fact]
    public void A_ratio_is_that_of_each_round_and_the_median_of_the_rounds_counts()
    {
        Measured(Metric.Requests, "entrepot", 90, 10, 95);
        Measured(Metric.Requests, "peer", 100, 10, 50);
        var row = Row.Of(Scenario, Bound.RatioAtLeast(0.95, Metric.Requests, "entrepot", "peer"), _samples);
        Assert.Equal([0.9, 1.0, 1.9], row.Rounds);
        Assert.Equal(1.0, row.Figure);
        Assert.True(row.Holds);
        Assert.Equal("1.00× (0.90×..1.90×)", row.ShowFigure());
    }

    [Fact]
    public void Only_rounds_in_which_both_were_measured_count()
    {
        Measured(Metric.Seconds, "entrepot", 4, 100, 100);
        Measured(Metric.Seconds, "peer", 8);
        var row = Row.Of(Scenario, Bound.RatioAtMost(0.5, Metric.Seconds, "entrepot", "peer"), _samples);
        Assert.Equal([0.5], row.Rounds);
        Assert.True(row.Holds);
    }

    [Theory]
    [InlineData(1.0, true)]
    [InlineData(1.01, false)]
    public void A_limit_itself_still_holds(double seconds, bool holds)
    {
        Measured(Metric.Seconds, "entrepot", seconds);
        Measured(Metric.Seconds, "peer", 1);
        Assert.Equal(holds, Row.Of(Scenario, Bound.RatioAtMost(1, Metric.Seconds, "entrepot", "peer"), _samples).Holds);
    }

    [Fact]
    public void A_difference_is_that_of_each_round()
    {
        Measured(Metric.Cpu, "entrepot", 1.0, 2.0);
        Measured(Metric.Cpu, "peer", 0.5, 0.5);
        var row = Row.Of(Scenario, Bound.AboveByAtMost(0.9, Metric.Cpu, "entrepot", "peer"), _samples);
        Assert.Equal(1.0, row.Figure);
        Assert.False(row.Holds);
        Assert.Equal("≤ +0.9", row.ShowBound());
    }

    [Fact]
    public void What_must_never_be_above_counts_at_its_worst()
    {
        Measured(Metric.Peak, "entrepot", 100, 300, 100);
        Assert.False(Row.Of(Scenario, Bound.NeverAbove(250, Metric.Peak, "entrepot"), _samples).Holds);
        Assert.True(Row.Of(Scenario, Bound.AtMost(250, Metric.Peak, "entrepot"), _samples).Holds);
    }

    [Fact]
    public void What_was_not_measured_does_not_hold()
    {
        Measured(Metric.Rate, "entrepot", 1);
        var row = Row.Of(Scenario, Bound.RatioAtLeast(0.1, Metric.Rate, "entrepot", "peer"), _samples);
        Assert.False(row.Holds);
        Assert.Equal("not measured", row.ShowFigure());
    }

    [Fact]
    public void What_is_only_told_neither_holds_nor_fails()
    {
        Measured(Metric.Rate, "entrepot", 1);
        Measured(Metric.Rate, "peer", 2);
        Assert.Null(Row.Of(Scenario, Bound.Told(Metric.Rate, "entrepot", "peer"), _samples).Holds);
    }

    [Fact]
    public void The_table_names_what_was_compared_and_what_came_of_it()
    {
        Measured(Metric.Rate, "entrepot", 1234);
        Measured(Metric.Rate, "peer", 2000);
        var lines = Table.Of([Row.Of(Scenario, Bound.RatioAtLeast(0.9, Metric.Rate, "entrepot", "peer"), _samples)]).Split('\n');
        Assert.Equal(["", "s", "MB/s", "1,234 (entrepot)", "2,000 (peer)", "0.62×", "≥ 0.9×", "NO", ""], lines[2].Split('|').Select(cell => cell.Trim()));
    }

    private void Measured(Metric metric, string target, params double[] rounds)
    {
        foreach (var (round, value) in rounds.Index()) _samples.Add(Scenario, round + 1, target, metric, value);
    }
}
