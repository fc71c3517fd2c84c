using Entrepot.TestSupport.Running;

namespace Entrepot.TestSupport.Product;

/// <summary>What the solution's build left of Entrepot's programs; nothing is built here.</summary>
public static class ServicePrograms
{
    /// <summary>The program of a folder below <c>services</c>, for <c>dotnet</c> to run.</summary>
    /// <exception cref="FileNotFoundException">It was not built.</exception>
    public static string PathOf(string service)
    {
        ArgumentException.ThrowIfNullOrEmpty(service);
        var (folder, name) = (Path.Combine(Checkout.Root, "services", service, "bin"), $"Entrepot.{char.ToUpperInvariant(service[0])}{service[1..]}.dll");
        return new[] { Checkout.Configuration, "Release", "Debug" }.Select(configuration => Path.Combine(folder, configuration, "net10.0", name)).FirstOrDefault(File.Exists)
            ?? throw new FileNotFoundException($"No {name} below {folder}: build Platform.sln first (dotnet build -c Release).");
    }
}
