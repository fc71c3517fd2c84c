namespace Entrepot.TestSupport.Running;

/// <summary>Where the checkout lies that the running test assembly was built from.</summary>
public static class Checkout
{
    /// <summary>The folder that holds Platform.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The configuration the tests were built in: <c>Release</c> or <c>Debug</c>.</summary>
    public static string Configuration { get; } =
        AppContext.BaseDirectory.Contains($"{Path.DirectorySeparatorChar}Debug{Path.DirectorySeparatorChar}", StringComparison.Ordinal) ? "Debug" : "Release";

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Platform.sln"))) return folder.FullName;
        }

        throw new InvalidOperationException($"No Platform.sln above {AppContext.BaseDirectory}: run the tests from their build folder inside the checkout.");
    }
}
