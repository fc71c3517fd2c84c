using System.Xml.Linq;
using Xunit;

namespace Entrepot.UnitTests;

/// <summary>Dependencies point one way: services know shared libraries, shared libraries know the protocol, the protocol knows nobody.</summary>
public sealed class ArchitectureTests
{
    private static readonly string Root = FindRoot();

    [Theory]
    [InlineData("shared/Contracts")]
    [InlineData("shared/Oci")]
    [InlineData("shared/Upstreams", "shared/Oci", "shared/Contracts")]
    [InlineData("shared/Storage", "shared/Oci", "shared/Contracts")]
    [InlineData("shared/Metadata", "shared/Oci", "shared/Contracts")]
    [InlineData("shared/Hosting", "shared/Contracts")]
    [InlineData("shared/Cluster", "shared/Contracts", "shared/Oci", "shared/Storage", "shared/Metadata", "shared/Hosting")]
    public void A_shared_library_references_no_more_than_it_may(string project, params string[] allowed) =>
        Assert.Empty(ReferencesOf(project).Except(allowed));

    [Theory]
    [InlineData("shared/Contracts")]
    [InlineData("shared/Oci")]
    public void The_protocol_and_the_messages_need_no_package(string project) =>
        Assert.Empty(ItemsOf(project, "PackageReference").Concat(ItemsOf(project, "FrameworkReference")));

    [Fact]
    public void Shared_libraries_never_reference_services()
    {
        var projects = ProjectsUnder("shared");
        Assert.NotEmpty(projects);
        Assert.All(projects, project => Assert.DoesNotContain(ReferencesOf(project), r => !r.StartsWith("shared/", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("services/api")]
    [InlineData("services/fetcher")]
    [InlineData("services/janitor")]
    public void A_service_never_references_another(string service) =>
        Assert.All(ReferencesOf(service), r => Assert.StartsWith("shared/", r, StringComparison.Ordinal));

    [Fact]
    public void The_janitor_never_reaches_an_upstream() =>
        Assert.DoesNotContain("shared/Upstreams", ClosureOf("services/janitor"));

    [Fact]
    public void Standalone_is_the_three_services_in_one_process() =>
        Assert.Superset(new HashSet<string> { "services/api", "services/fetcher", "services/janitor" }, ReferencesOf("services/standalone").ToHashSet());

    [Fact]
    public void Only_tests_reference_tests() =>
        Assert.All(
            ProjectsUnder("shared").Concat(ProjectsUnder("services")),
            project => Assert.DoesNotContain(ReferencesOf(project), r => r.StartsWith("tests/", StringComparison.Ordinal)));

    [Fact]
    public void Every_project_is_part_of_the_solution()
    {
        var solution = File.ReadAllText(Path.Combine(Root, "Platform.sln")).Replace('\\', '/');
        var projects = new[] { "shared", "services", "tests", "bench" }.SelectMany(ProjectFilesUnder);
        Assert.All(projects, file => Assert.Contains(Path.GetRelativePath(Root, file).Replace('\\', '/'), solution, StringComparison.Ordinal));
    }

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Platform.sln")))
            directory = directory.Parent;
        return directory?.FullName ?? throw new InvalidOperationException($"No Platform.sln above {AppContext.BaseDirectory}.");
    }

    private static IEnumerable<string> ProjectFilesUnder(string folder) => Directory
        .EnumerateDirectories(Path.Combine(Root, folder))
        .SelectMany(d => Directory.EnumerateFiles(d, "*.csproj"));

    private static List<string> ProjectsUnder(string folder) =>
        [.. ProjectFilesUnder(folder).Select(f => FolderOf(Path.GetDirectoryName(f)!))];

    private static string FolderOf(string path) => Path.GetRelativePath(Root, path).Replace('\\', '/');

    private static IEnumerable<string> ItemsOf(string project, string item)
    {
        var file = Assert.Single(Directory.GetFiles(Path.Combine(Root, project), "*.csproj"));
        return XDocument.Load(file).Descendants(item).Select(e => e.Attribute("Include")!.Value);
    }

    /// <summary>The folders of the projects a project references itself, such as <c>shared/Oci</c>.</summary>
    private static List<string> ReferencesOf(string project) =>
    [
        .. ItemsOf(project, "ProjectReference")
            .Select(include => FolderOf(Path.GetDirectoryName(Path.GetFullPath(Path.Combine(Root, project, include.Replace('\\', '/'))))!)),
    ];

    private static HashSet<string> ClosureOf(string project)
    {
        var reached = new HashSet<string>();
        var open = new Stack<string>([project]);
        while (open.TryPop(out var next))
        {
            foreach (var reference in ReferencesOf(next).Where(reached.Add))
                open.Push(reference);
        }

        return reached;
    }
}
