using Entrepot.Bench;
using Entrepot.Bench.Running;
using Entrepot.Bench.Scenarios;
using Entrepot.TestSupport.Running;
using Xunit;

namespace Entrepot.UnitTests.Bench;

public sealed class CommandLineTests
{
    [Fact]
    public void Without_arguments_everything_but_the_soak_is_measured_in_three_rounds()
    {
        var line = CommandLine.Parse([]);
        Assert.Equal(AllScenarios.Default, line.Scenarios);
        Assert.DoesNotContain(line.Scenarios, scenario => scenario.Name == "soak");
        Assert.Equal(3, line.Rounds);
        Assert.True(line.IsWhole);
        Assert.Equal("bench/run.sh", line.Command);
    }

    [Fact]
    public void Scenarios_are_named_one_by_one_or_by_how_they_begin()
    {
        var line = CommandLine.Parse(["--only", "skopeo,stampede*", "--quick", "--results", "/somewhere/private"]);
        Assert.Equal(["stampede", "stampede-shaped", "skopeo"], line.Scenarios.Select(scenario => scenario.Name));
        Assert.False(line.IsWhole);
        Assert.Equal("bench/run.sh --quick --only stampede,stampede-shaped,skopeo", line.Command);
    }

    [Theory]
    [InlineData("--only", "nothing")]
    [InlineData("--rounds", "0")]
    [InlineData("--rounds")]
    [InlineData("--fast")]
    public void What_makes_no_sense_is_refused(params string[] arguments) => Assert.Throws<BenchException>(() => CommandLine.Parse(arguments));

    [Fact]
    public void Every_scenario_has_a_name_of_its_own_and_something_that_must_hold()
    {
        Assert.Distinct(AllScenarios.All.Select(scenario => scenario.Name));
        Assert.All(AllScenarios.All, scenario => Assert.NotEmpty(scenario.Bounds));
    }

    [Fact]
    public async Task The_program_lists_its_scenarios()
    {
        var result = await ChildProcess.RunAsync("dotnet", [Path.Combine(AppContext.BaseDirectory, "Entrepot.Compare.dll"), "--list"]);
        Assert.Equal(0, result.ExitCode);
        Assert.All(AllScenarios.All, scenario => Assert.Contains($"\n{scenario.Name} ", "\n" + result.Output, StringComparison.Ordinal));
    }
}
