using System.Text.RegularExpressions;
using Entrepot.TestSupport.Running;
using Xunit;

namespace Entrepot.UnitTests.Infra;

/// <summary>What would go wrong only where there is a Docker engine.</summary>
public sealed partial class ContainerTests
{
    [Fact]
    public void The_Dockerfile_restores_every_project()
    {
        var copied = CopyProject().Matches(Read("Dockerfile")).Select(match => match.Groups[1].Value);
        var projects = new[] { "shared", "services" }
            .SelectMany(folder => Directory.EnumerateDirectories(Path.Combine(Checkout.Root, folder)))
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.csproj"))
            .Select(file => Path.GetRelativePath(Checkout.Root, file));
        Assert.Equal(projects.Order(StringComparer.Ordinal), copied.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_choice_of_the_compose_file_is_in_the_example_with_its_default()
    {
        var example = Choice().Matches(Read("infra/.env.example")).ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value);
        var choices = Variable().Matches(Read("infra/docker-compose.yml")).Select(match => (Name: match.Groups[1].Value, Default: match.Groups[2].Value)).ToHashSet();
        Assert.NotEmpty(choices);
        Assert.All(choices, choice => Assert.Equal(choice.Default, example.GetValueOrDefault(choice.Name)));
    }

    private static string Read(string file) => File.ReadAllText(Path.Combine(Checkout.Root, file));

    [GeneratedRegex(@"^COPY (\S+\.csproj) ", RegexOptions.Multiline)]
    private static partial Regex CopyProject();

    [GeneratedRegex(@"\$\{(\w+):-([^}]*)\}")]
    private static partial Regex Variable();

    [GeneratedRegex(@"^#?(\w+)=(.*)$", RegexOptions.Multiline)]
    private static partial Regex Choice();
}
