using Coordinator.Silo.Hosting;

return (int)await SiloProcess.RunAsync(args);
