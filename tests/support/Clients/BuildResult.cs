using System.Text.Json;
using Entrepot.TestSupport.Running;

namespace Entrepot.TestSupport.Clients;

/// <summary>An image that a client has built.</summary>
/// <param name="Command">The build and what it wrote.</param>
/// <param name="DiffIds">The digests of the layers' tars, lowest first: those of the base come first.</param>
/// <param name="Label">The label <c>test</c> of the Dockerfile.</param>
public sealed record BuildResult(CommandResult Command, IReadOnlyList<string> DiffIds, string Label)
{
    /// <summary>What the Dockerfile of <see cref="NewContext"/> labels the image with.</summary>
    public const string LabelOfTests = "built through Entrepot";

    /// <summary>A folder with a Dockerfile of this base that runs nothing.</summary>
    internal static TempFolder NewContext(string baseImage)
    {
        var folder = new TempFolder("build");
        File.WriteAllText(folder.File("Dockerfile"), $"FROM {baseImage}\nCOPY added /added\nLABEL test=\"{LabelOfTests}\"\n");
        File.WriteAllText(folder.File("added"), "a file of the build context\n");
        return folder;
    }

    /// <summary>Looks at the image by <c>inspect</c>, whose template docker and podman share.</summary>
    internal static async Task<BuildResult> InspectAsync(CommandResult build, Func<string[], Task<CommandResult>> imageCommand)
    {
        var inspect = ClientFailedException.ThrowIfFailed(await imageCommand(["inspect", "--format", "{{json .RootFS.Layers}}|{{index .Config.Labels \"test\"}}"]));
        var parts = inspect.StandardOutput.Trim().Split('|', 2);
        return new BuildResult(build, JsonSerializer.Deserialize<string[]>(parts[0])!, parts[1]);
    }
}
